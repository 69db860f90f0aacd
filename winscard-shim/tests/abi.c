/*
 * All names of libpcsclite.so.1 as <winscard.h> declares them, with nothing behind them: compiled with debug information
 * and two sets of headers, it lets abidiff compare the types.
 */
#include <reader.h>
#include <winscard.h>

#define DOES_NOTHING { return SCARD_F_INTERNAL_ERROR; }

const SCARD_IO_REQUEST g_rgSCardT0Pci = {SCARD_PROTOCOL_T0, sizeof(SCARD_IO_REQUEST)};
const SCARD_IO_REQUEST g_rgSCardT1Pci = {SCARD_PROTOCOL_T1, sizeof(SCARD_IO_REQUEST)};
const SCARD_IO_REQUEST g_rgSCardRawPci = {SCARD_PROTOCOL_RAW, sizeof(SCARD_IO_REQUEST)};

const char *pcsc_stringify_error(const LONG a) { return a ? "" : "none"; }
LONG SCardEstablishContext(DWORD a, LPCVOID b, LPCVOID c, LPSCARDCONTEXT d) DOES_NOTHING
LONG SCardReleaseContext(SCARDCONTEXT a) DOES_NOTHING
LONG SCardIsValidContext(SCARDCONTEXT a) DOES_NOTHING
LONG SCardConnect(SCARDCONTEXT a, LPCSTR b, DWORD c, DWORD d, LPSCARDHANDLE e, LPDWORD f) DOES_NOTHING
LONG SCardReconnect(SCARDHANDLE a, DWORD b, DWORD c, DWORD d, LPDWORD e) DOES_NOTHING
LONG SCardDisconnect(SCARDHANDLE a, DWORD b) DOES_NOTHING
LONG SCardBeginTransaction(SCARDHANDLE a) DOES_NOTHING
LONG SCardEndTransaction(SCARDHANDLE a, DWORD b) DOES_NOTHING
LONG SCardStatus(SCARDHANDLE a, LPSTR b, LPDWORD c, LPDWORD d, LPDWORD e, LPBYTE f, LPDWORD g) DOES_NOTHING
LONG SCardGetStatusChange(SCARDCONTEXT a, DWORD b, SCARD_READERSTATE *c, DWORD d) DOES_NOTHING
LONG SCardControl(SCARDHANDLE a, DWORD b, LPCVOID c, DWORD d, LPVOID e, DWORD f, LPDWORD g) DOES_NOTHING
LONG SCardTransmit(SCARDHANDLE a, const SCARD_IO_REQUEST *b, LPCBYTE c, DWORD d, SCARD_IO_REQUEST *e, LPBYTE f,
                   LPDWORD g) DOES_NOTHING
LONG SCardListReaderGroups(SCARDCONTEXT a, LPSTR b, LPDWORD c) DOES_NOTHING
LONG SCardListReaders(SCARDCONTEXT a, LPCSTR b, LPSTR c, LPDWORD d) DOES_NOTHING
LONG SCardFreeMemory(SCARDCONTEXT a, LPCVOID b) DOES_NOTHING
#ifndef WITHOUT_CANCEL
LONG SCardCancel(SCARDCONTEXT a) DOES_NOTHING
#endif
LONG SCardGetAttrib(SCARDHANDLE a, DWORD b, LPBYTE c, LPDWORD d) DOES_NOTHING
LONG SCardSetAttrib(SCARDHANDLE a, DWORD b, LPCBYTE c, DWORD d) DOES_NOTHING
