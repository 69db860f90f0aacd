/* Types of cards, other names and groups of readers, what readers are: what is asked, and what is refused (4.5 to 4.7). */
#include "check.h"

static SCARDCONTEXT context;
static const char *reader;

#define CARDS_A(buffer, length) SCardListCardsA(context, NULL, NULL, 0, buffer, length)
#define CARDS_W(buffer, length) SCardListCardsW(0, NULL, NULL, 0, buffer, length)
#define INSTANCE_A(buffer, length) SCardGetReaderDeviceInstanceIdA(context, reader, buffer, length)

int main(void)
{
    static const BYTE atr[] = {0x3B, 0x02, 0x14, 0x50}, no_atr[] = {0x3C, 0x00}, outside[] = {0xFF, 0x00, 0xFF, 0xFF};
    GUID guid = {0};
    char text[512], names[512];
    WCHAR wide[512];
    DWORD length = 0, number = 0;

    context = establish(SCARD_SCOPE_USER);
    reader = first_reader(context);

    ALL_SIZES(char, CARDS_A);
    ALL_SIZES(WCHAR, CARDS_W);
    OK(SCardListCardsA(context, atr, &guid, 1, NULL, &length));
    EXPECT(SCardListCardsA(context, no_atr, NULL, 0, NULL, &length), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardListInterfacesA(context, "nobody's", NULL, &length), SCARD_E_UNKNOWN_CARD);
    EXPECT(SCardListInterfacesW(context, NULL, NULL, &length), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardGetProviderIdW(context, u"nobody's", &guid), SCARD_E_UNKNOWN_CARD);
    EXPECT(SCardGetProviderIdA(context, "nobody's", NULL), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardGetCardTypeProviderNameA(0, "nobody's", SCARD_PROVIDER_CSP, NULL, &length), SCARD_E_UNKNOWN_CARD);
    EXPECT(SCardSetCardTypeProviderNameA(0, "nobody's", SCARD_PROVIDER_CSP, "x"), SCARD_E_UNKNOWN_CARD);
    EXPECT(SCardForgetCardTypeW(context, u"nobody's"), SCARD_E_UNKNOWN_CARD);
    EXPECT(SCardIntroduceCardTypeA(context, "mine", NULL, NULL, 0, NULL, NULL, 0), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardIntroduceCardTypeA(context, "mine", NULL, NULL, 0, atr, NULL, 34), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardIntroduceCardTypeA(context, "mine", NULL, NULL, 1, atr, NULL, 0), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardIntroduceCardTypeA(context, "mine", NULL, NULL, 0, atr, outside, sizeof atr), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardIntroduceCardTypeW(context, u"", NULL, NULL, 0, atr, NULL, 0), SCARD_E_INVALID_PARAMETER);

    EXPECT(SCardIntroduceReaderA(context, "other name", "nobody's"), SCARD_E_UNKNOWN_READER);
    EXPECT(SCardIntroduceReaderA(context, reader, reader), SCARD_E_DUPLICATE_READER);
    EXPECT(SCardForgetReaderW(context, u"nobody's"), SCARD_E_UNKNOWN_READER);
    OK(SCardIntroduceReaderGroupA(0, "mine"));
    EXPECT(SCardIntroduceReaderGroupA(context, ""), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardIntroduceReaderGroupW(context, NULL), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardAddReaderToGroupA(context, reader, "SCard$AllReaders"), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardAddReaderToGroupA(context, "nobody's", "mine"), SCARD_E_UNKNOWN_READER);
    EXPECT(SCardRemoveReaderFromGroupA(context, reader, "SCard$LocalReaders"), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardForgetReaderGroupW(context, u"SCard$SystemReaders"), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardForgetReaderGroupA(0, "mine"), SCARD_E_INVALID_HANDLE);

    OK(SCardGetDeviceTypeIdA(context, reader, &number));
    CHECK(number == SCARD_READER_TYPE_VENDOR);
    length = 512;
    OK(SCardListReadersW(context, NULL, wide, &length));
    OK(SCardGetDeviceTypeIdW(context, wide, &number));
    EXPECT(SCardGetDeviceTypeIdA(context, "nobody's", &number), SCARD_E_UNKNOWN_READER);
    EXPECT(SCardGetDeviceTypeIdA(context, reader, NULL), SCARD_E_INVALID_PARAMETER);
    ALL_SIZES(char, INSTANCE_A);
    length = sizeof text;
    OK(SCardGetReaderDeviceInstanceIdA(context, reader, text, &length));
    length = sizeof names;
    OK(SCardListReadersWithDeviceInstanceIdA(context, text, names, &length));
    CHECK(strcmp(names, reader) == 0 && length == strlen(names) + 2);
    EXPECT(SCardListReadersWithDeviceInstanceIdW(context, u"nobody's", NULL, &length), SCARD_E_NO_READERS_AVAILABLE);
    EXPECT(SCardGetReaderIconA(context, NULL, NULL, &length), SCARD_E_INVALID_PARAMETER);
    OK(SCardReleaseContext(context));
    return 0;
}
