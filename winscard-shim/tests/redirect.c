/*
 * Stands in for the libpcsclite.so.1 of pcsc-lite 2.1 and later, which is no more than a redirector: the first
 * SCardEstablishContext loads the library that LIBPCSCLITE_DELEGATE names, wants all 18 functions of it, and from then on
 * every call goes there. Calls before that fail.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include <winscard.h>

#define FUNCTIONS(F) \
    F(SCardEstablishContext, (DWORD a, LPCVOID b, LPCVOID c, LPSCARDCONTEXT d), (a, b, c, d)) \
    F(SCardReleaseContext, (SCARDCONTEXT a), (a)) \
    F(SCardIsValidContext, (SCARDCONTEXT a), (a)) \
    F(SCardConnect, (SCARDCONTEXT a, LPCSTR b, DWORD c, DWORD d, LPSCARDHANDLE e, LPDWORD f), (a, b, c, d, e, f)) \
    F(SCardReconnect, (SCARDHANDLE a, DWORD b, DWORD c, DWORD d, LPDWORD e), (a, b, c, d, e)) \
    F(SCardDisconnect, (SCARDHANDLE a, DWORD b), (a, b)) \
    F(SCardBeginTransaction, (SCARDHANDLE a), (a)) \
    F(SCardEndTransaction, (SCARDHANDLE a, DWORD b), (a, b)) \
    F(SCardStatus, (SCARDHANDLE a, LPSTR b, LPDWORD c, LPDWORD d, LPDWORD e, LPBYTE f, LPDWORD g), \
      (a, b, c, d, e, f, g)) \
    F(SCardGetStatusChange, (SCARDCONTEXT a, DWORD b, SCARD_READERSTATE *c, DWORD d), (a, b, c, d)) \
    F(SCardControl, (SCARDHANDLE a, DWORD b, LPCVOID c, DWORD d, LPVOID e, DWORD f, LPDWORD g), \
      (a, b, c, d, e, f, g)) \
    F(SCardTransmit, \
      (SCARDHANDLE a, const SCARD_IO_REQUEST *b, LPCBYTE c, DWORD d, SCARD_IO_REQUEST *e, LPBYTE f, LPDWORD g), \
      (a, b, c, d, e, f, g)) \
    F(SCardListReaderGroups, (SCARDCONTEXT a, LPSTR b, LPDWORD c), (a, b, c)) \
    F(SCardListReaders, (SCARDCONTEXT a, LPCSTR b, LPSTR c, LPDWORD d), (a, b, c, d)) \
    F(SCardFreeMemory, (SCARDCONTEXT a, LPCVOID b), (a, b)) \
    F(SCardCancel, (SCARDCONTEXT a), (a)) \
    F(SCardGetAttrib, (SCARDHANDLE a, DWORD b, LPBYTE c, LPDWORD d), (a, b, c, d)) \
    F(SCardSetAttrib, (SCARDHANDLE a, DWORD b, LPCBYTE c, DWORD d), (a, b, c, d))

static int load(void);

#define POINTER(name, parameters, arguments) static LONG(*real_##name) parameters;
FUNCTIONS(POINTER)

#define FORWARD(name, parameters, arguments) \
    LONG name parameters \
    { \
        if (real_##name == NULL && !load()) \
            return SCARD_F_INTERNAL_ERROR; \
        return real_##name arguments; \
    }
FUNCTIONS(FORWARD)

const SCARD_IO_REQUEST g_rgSCardT0Pci = {SCARD_PROTOCOL_T0, sizeof(SCARD_IO_REQUEST)};
const SCARD_IO_REQUEST g_rgSCardT1Pci = {SCARD_PROTOCOL_T1, sizeof(SCARD_IO_REQUEST)};
const SCARD_IO_REQUEST g_rgSCardRawPci = {SCARD_PROTOCOL_RAW, sizeof(SCARD_IO_REQUEST)};

static int load(void)
{
    void *library = dlopen(getenv("LIBPCSCLITE_DELEGATE"), RTLD_LAZY);
    if (library == NULL)
        return 0;
#define RESOLVE(name, parameters, arguments) \
    if ((*(void **)&real_##name = dlsym(library, #name)) == NULL) \
        return 0;
    FUNCTIONS(RESOLVE)
    return 1;
}
