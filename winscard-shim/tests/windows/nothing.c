/*
 * Every call with nothing where something should be: with no handle, with one that nobody gave out, and with a valid
 * context. Each says so, and none does anything.
 */
#include "check.h"

/* Successes: there is no one to ask about, no place for an answer is required, or nothing is changed. */
static const char *const successes[] = {
    "SCardGetStatusChange", "SCardLocateCardsByATR",
};

static void nothing(LONG result, const char *call, int is_valid)
{
    size_t at;
    for (at = 0; at < sizeof successes / sizeof *successes; at++)
        if (is_valid && strncmp(call, successes[at], strlen(successes[at])) == 0)
            return;
    if (result != SCARD_S_SUCCESS)
        return;
    printf("%s succeeded\n", call);
    fflush(stdout);
    _Exit(1);
}

#define NOTHING(call) nothing(call, #call, is_valid)

static void call_all(ULONG_PTR handle, int is_valid)
{
    NOTHING(SCardReconnect(handle, 0, 0, 0, NULL));
    NOTHING(SCardDisconnect(handle, 0));
    NOTHING(SCardBeginTransaction(handle));
    NOTHING(SCardEndTransaction(handle, 0));
    NOTHING(SCardCancelTransaction(handle));
    NOTHING(SCardState(handle, NULL, NULL, NULL, NULL));
    NOTHING(SCardTransmit(handle, NULL, NULL, 0, NULL, NULL, NULL));
    NOTHING(SCardGetTransmitCount(handle, NULL));
    NOTHING(SCardControl(handle, 0, NULL, 0, NULL, 0, NULL));
    NOTHING(SCardGetAttrib(handle, 0, NULL, NULL));
    NOTHING(SCardSetAttrib(handle, 0, NULL, 0));
    NOTHING(SCardAudit(handle, 0));
    NOTHING(SCardListReadersA(handle, NULL, NULL, NULL));
    NOTHING(SCardListReadersW(handle, NULL, NULL, NULL));
    NOTHING(SCardListReaderGroupsA(handle, NULL, NULL));
    NOTHING(SCardListReaderGroupsW(handle, NULL, NULL));
    NOTHING(SCardGetStatusChangeA(handle, 0, NULL, 0));
    NOTHING(SCardGetStatusChangeW(handle, 0, NULL, 0));
    NOTHING(SCardLocateCardsA(handle, NULL, NULL, 0));
    NOTHING(SCardLocateCardsW(handle, NULL, NULL, 0));
    NOTHING(SCardLocateCardsByATRA(handle, NULL, 0, NULL, 0));
    NOTHING(SCardLocateCardsByATRW(handle, NULL, 0, NULL, 0));
    NOTHING(SCardIntroduceReaderA(handle, NULL, NULL));
    NOTHING(SCardIntroduceReaderW(handle, NULL, NULL));
    NOTHING(SCardForgetReaderA(handle, NULL));
    NOTHING(SCardForgetReaderW(handle, NULL));
    NOTHING(SCardIntroduceReaderGroupA(handle, NULL));
    NOTHING(SCardIntroduceReaderGroupW(handle, NULL));
    NOTHING(SCardForgetReaderGroupA(handle, NULL));
    NOTHING(SCardForgetReaderGroupW(handle, NULL));
    NOTHING(SCardAddReaderToGroupA(handle, NULL, NULL));
    NOTHING(SCardAddReaderToGroupW(handle, NULL, NULL));
    NOTHING(SCardRemoveReaderFromGroupA(handle, NULL, NULL));
    NOTHING(SCardRemoveReaderFromGroupW(handle, NULL, NULL));
    NOTHING(SCardGetDeviceTypeIdA(handle, NULL, NULL));
    NOTHING(SCardGetDeviceTypeIdW(handle, NULL, NULL));
    NOTHING(SCardGetReaderIconA(handle, NULL, NULL, NULL));
    NOTHING(SCardGetReaderIconW(handle, NULL, NULL, NULL));
    NOTHING(SCardGetReaderDeviceInstanceIdA(handle, NULL, NULL, NULL));
    NOTHING(SCardGetReaderDeviceInstanceIdW(handle, NULL, NULL, NULL));
    NOTHING(SCardListReadersWithDeviceInstanceIdA(handle, NULL, NULL, NULL));
    NOTHING(SCardListReadersWithDeviceInstanceIdW(handle, NULL, NULL, NULL));
    NOTHING(SCardListCardsA(handle, NULL, NULL, 0, NULL, NULL));
    NOTHING(SCardListCardsW(handle, NULL, NULL, 0, NULL, NULL));
    NOTHING(SCardIntroduceCardTypeA(handle, NULL, NULL, NULL, 0, NULL, NULL, 0));
    NOTHING(SCardIntroduceCardTypeW(handle, NULL, NULL, NULL, 0, NULL, NULL, 0));
    NOTHING(SCardForgetCardTypeA(handle, NULL));
    NOTHING(SCardForgetCardTypeW(handle, NULL));
    NOTHING(SCardListInterfacesA(handle, NULL, NULL, NULL));
    NOTHING(SCardListInterfacesW(handle, NULL, NULL, NULL));
    NOTHING(SCardGetProviderIdA(handle, NULL, NULL));
    NOTHING(SCardGetProviderIdW(handle, NULL, NULL));
    NOTHING(SCardGetCardTypeProviderNameA(handle, NULL, 0, NULL, NULL));
    NOTHING(SCardGetCardTypeProviderNameW(handle, NULL, 0, NULL, NULL));
    NOTHING(SCardSetCardTypeProviderNameA(handle, NULL, 0, NULL));
    NOTHING(SCardSetCardTypeProviderNameW(handle, NULL, 0, NULL));
    NOTHING(SCardConnectA(handle, NULL, 0, 0, NULL, NULL));
    NOTHING(SCardConnectW(handle, NULL, 0, 0, NULL, NULL));
    NOTHING(SCardStatusA(handle, NULL, NULL, NULL, NULL, NULL, NULL));
    NOTHING(SCardStatusW(handle, NULL, NULL, NULL, NULL, NULL, NULL));
    NOTHING(SCardReadCacheA(handle, NULL, 0, NULL, NULL, NULL));
    NOTHING(SCardReadCacheW(handle, NULL, 0, NULL, NULL, NULL));
    NOTHING(SCardWriteCacheA(handle, NULL, 0, NULL, NULL, 0));
    NOTHING(SCardWriteCacheW(handle, NULL, 0, NULL, NULL, 0));
    NOTHING(SCardUIDlgSelectCardA(NULL));
    NOTHING(SCardUIDlgSelectCardW(NULL));
    NOTHING(GetOpenCardNameA(NULL));
    NOTHING(GetOpenCardNameW(NULL));
}

int main(void)
{
    SCARDCONTEXT context = establish(SCARD_SCOPE_USER);
    call_all(0, 0);
    call_all(12345, 0);
    call_all((ULONG_PTR)-1, 0);
    call_all(context, 1);
    OK(SCardIsValidContext(context));
    OK(SCardReleaseContext(context));
    return 0;
}
