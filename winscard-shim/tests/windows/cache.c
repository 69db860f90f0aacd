/* The card cache (4.4). */
#include "check.h"

static SCARDCONTEXT context;
static UUID one = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}}, two = {9, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};

#define READ_A(buffer, length) SCardReadCacheA(context, &one, 5, (char *)"Schl\xC3\xBCssel", buffer, length)
#define READ_W(buffer, length) SCardReadCacheW(context, &one, 5, (WCHAR *)u"Schl\u00FCssel", buffer, length)

int main(void)
{
    BYTE item[] = {1, 2, 3, 4, 5}, read[16];
    static BYTE large[64 * 1024 + 1];
    DWORD length = sizeof read;

    context = establish(SCARD_SCOPE_USER);
    EXPECT(READ_A(read, &length), SCARD_W_CACHE_ITEM_NOT_FOUND);
    OK(SCardWriteCacheW(context, &one, 5, (WCHAR *)u"Schl\u00FCssel", item, sizeof item));
    ALL_SIZES(BYTE, READ_A);
    ALL_SIZES(BYTE, READ_W);
    length = sizeof read;
    OK(READ_A(read, &length));
    CHECK(length == sizeof item && memcmp(read, item, length) == 0);
    length = sizeof read;
    EXPECT(SCardReadCacheA(context, &two, 5, (char *)"Schl\xC3\xBCssel", read, &length), SCARD_W_CACHE_ITEM_NOT_FOUND);

    /* Who asks for an older one does no harm; who asks for a newer one makes the old one go. */
    length = sizeof read;
    EXPECT(SCardReadCacheA(context, &one, 4, (char *)"Schl\xC3\xBCssel", read, &length), SCARD_W_CACHE_ITEM_STALE);
    OK(READ_W(read, &length));
    length = sizeof read;
    EXPECT(SCardReadCacheA(context, &one, 6, (char *)"Schl\xC3\xBCssel", read, &length), SCARD_W_CACHE_ITEM_STALE);
    EXPECT(READ_W(read, &length), SCARD_W_CACHE_ITEM_NOT_FOUND);

    EXPECT(SCardWriteCacheA(context, &one, 1, (char *)"large", large, sizeof large), SCARD_W_CACHE_ITEM_TOO_BIG);
    OK(SCardWriteCacheA(context, &one, 1, (char *)"large", large, sizeof large - 1));
    OK(SCardWriteCacheA(context, &one, 1, (char *)"nothing", NULL, 0));
    length = sizeof read;
    OK(SCardReadCacheA(context, &one, 1, (char *)"nothing", read, &length));
    CHECK(length == 0);

    EXPECT(SCardReadCacheA(context, NULL, 1, (char *)"large", read, &length), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardReadCacheA(context, &one, 1, NULL, read, &length), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardReadCacheA(0, &one, 1, (char *)"large", read, &length), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardWriteCacheA(context, &one, 1, (char *)"large", NULL, 1), SCARD_E_INVALID_PARAMETER);
    OK(SCardReleaseContext(context));
    return 0;
}
