/*
 * Sizes, offsets and numbers of the header, held against those measured with a compiler for Windows on 64 bits. It is
 * enough that this compiles.
 */
#include <stddef.h>

#include <winscard.h>

#define SAME(what, number) _Static_assert((what) == (number), #what)
#define CODE(name, low) SAME((unsigned)SCARD_##name, 0x80100000u + (low))

SAME(sizeof(LONG), 4);
SAME(sizeof(DWORD), 4);
SAME(sizeof(WCHAR), 2);
SAME(sizeof(BOOL), 4);
SAME(sizeof(GUID), 16);
SAME(sizeof(SCARDCONTEXT), 8);
SAME(sizeof(SCARDHANDLE), 8);
_Static_assert((LONG)-1 < 0 && (DWORD)-1 > 0 && (SCARDCONTEXT)-1 > 0, "signs");

SAME(sizeof(SCARD_IO_REQUEST), 8);
SAME(sizeof(SCARD_ATRMASK), 76);
SAME(offsetof(SCARD_ATRMASK, rgbMask), 40);

#define BOTH(what, number) \
    SAME(sizeof(what##A), number); \
    SAME(sizeof(what##W), number)
#define MEMBER(what, member, number) \
    SAME(offsetof(what##A, member), number); \
    SAME(offsetof(what##W, member), number)

BOTH(SCARD_READERSTATE, 64);
MEMBER(SCARD_READERSTATE, dwCurrentState, 16);
MEMBER(SCARD_READERSTATE, dwEventState, 20);
MEMBER(SCARD_READERSTATE, cbAtr, 24);
MEMBER(SCARD_READERSTATE, rgbAtr, 28);
BOTH(OPENCARD_SEARCH_CRITERIA, 96);
MEMBER(OPENCARD_SEARCH_CRITERIA, lpstrCardNames, 40);
MEMBER(OPENCARD_SEARCH_CRITERIA, dwPreferredProtocols, 92);
BOTH(OPENCARDNAME_EX, 128);
MEMBER(OPENCARDNAME_EX, pOpenCardSearchCriteria, 56);
MEMBER(OPENCARDNAME_EX, lpstrRdr, 88);
MEMBER(OPENCARDNAME_EX, hCardHandle, 120);
BOTH(OPENCARDNAME, 176);
MEMBER(OPENCARDNAME, lpstrRdr, 72);
MEMBER(OPENCARDNAME, dwActiveProtocol, 136);
MEMBER(OPENCARDNAME, hCardHandle, 168);

CODE(F_INTERNAL_ERROR, 0x01);
CODE(E_INVALID_HANDLE, 0x03);
CODE(E_INSUFFICIENT_BUFFER, 0x08);
CODE(E_TIMEOUT, 0x0A);
CODE(E_UNKNOWN_CARD, 0x0D);
CODE(E_UNEXPECTED, 0x1F);
CODE(E_ICC_INSTALLATION, 0x20);
CODE(E_UNSUPPORTED_FEATURE, 0x22);
CODE(E_NO_READERS_AVAILABLE, 0x2E);
CODE(E_READ_ONLY_CARD, 0x34);
CODE(W_UNSUPPORTED_CARD, 0x65);
CODE(W_CANCELLED_BY_USER, 0x6E);
CODE(W_CACHE_ITEM_NOT_FOUND, 0x70);
CODE(W_CACHE_ITEM_STALE, 0x71);
CODE(W_CACHE_ITEM_TOO_BIG, 0x72);
_Static_assert(SCARD_E_TIMEOUT == -2146435062, "codes are below zero");

SAME(SCARD_AUTOALLOCATE, 0xFFFFFFFFu);
SAME(SCARD_PROTOCOL_RAW, 0x10000);
SAME(SCARD_PROTOCOL_DEFAULT, 0x80000000u);
SAME(SCARD_CTL_CODE(3400), 0x00313520);
SAME(SCARD_UNKNOWN, 0);
SAME(SCARD_SPECIFIC, 6);
SAME(SCARD_PROVIDER_CARD_MODULE, 0x80000001u);
SAME(SCARD_ATTR_DEVICE_FRIENDLY_NAME_W, 0x7FFF0005u);
SAME(SCARD_ATTR_ATR_STRING, 0x00090303u);
SAME(sizeof(SCARD_ALL_READERSA), sizeof "SCard$AllReaders" + 1);

int main(void)
{
    return 0;
}
