/* Types of cards, other names and groups of readers, what readers are: what is asked, and what is refused (4.5 to 4.7). */
#include "check.h"

static SCARDCONTEXT context;
static const char *reader;

#define CARDS_A(buffer, length) SCardListCardsA(context, NULL, NULL, 0, buffer, length)
#define CARDS_W(buffer, length) SCardListCardsW(0, NULL, NULL, 0, buffer, length)
#define INTERFACES(buffer, length) SCardListInterfacesW(context, NAME_W, (GUID *)(buffer), length)
#define PROVIDER_A(buffer, length) SCardGetCardTypeProviderNameA(0, NAME_A, SCARD_PROVIDER_CARD_MODULE, buffer, length)
#define PROVIDER_W(buffer, length) SCardGetCardTypeProviderNameW(context, NAME_W, SCARD_PROVIDER_CARD_MODULE, buffer, length)
#define INSTANCE_A(buffer, length) SCardGetReaderDeviceInstanceIdA(context, reader, buffer, length)

/* A name that is not ASCII. */
#define NAME_A "Schl\xC3\xBCsselkarte"
#define NAME_W u"Schl\u00FCsselkarte"

/* How many names a multi-string has, and whether one of them is this. */
static int holds(const char *names, const char *name, int count)
{
    int found = 0;
    for (; *names; names += strlen(names) + 1, count--)
        found |= strcmp(names, name) == 0;
    return found && count == 0;
}

/* A type of card from its introduction to its end. */
static void card_types(void)
{
    static const GUID guids[2] = {{1, 2, 3, {4}}, {5, 6, 7, {8}}};
    SCARD_READERSTATEA state = {0};
    GUID guid;
    BYTE mask[36];
    char text[512];
    DWORD length = sizeof text;

    state.szReader = reader;
    OK(SCardGetStatusChangeA(context, INFINITE, &state, 1));
    memset(mask, 0xFF, sizeof mask);
    OK(SCardIntroduceCardTypeW(context, NAME_W, guids, guids, 2, state.rgbAtr, mask, state.cbAtr));
    OK(SCardListCardsA(context, state.rgbAtr, guids, 2, text, &length));
    CHECK(holds(text, NAME_A, 1));
    OK(SCardListCardsA(0, state.rgbAtr, guids + 1, 1, NULL, &length));
    CHECK(length == sizeof NAME_A + 1);
    ALL_SIZES(GUID, INTERFACES);
    OK(SCardGetProviderIdA(context, NAME_A, &guid));
    CHECK(memcmp(&guid, guids, sizeof guid) == 0);
    length = sizeof text;
    OK(SCardGetCardTypeProviderNameA(context, NAME_A, SCARD_PROVIDER_PRIMARY, text, &length));
    CHECK(strcmp(text, "{00000001-0002-0003-0400-000000000000}") == 0);
    EXPECT(SCardGetCardTypeProviderNameA(0, NAME_A, SCARD_PROVIDER_KSP, NULL, &length), SCARD_E_ICC_INSTALLATION);
    OK(SCardSetCardTypeProviderNameW(0, NAME_W, SCARD_PROVIDER_CARD_MODULE, u"/usr/lib/\u00E9.so"));
    ALL_SIZES(char, PROVIDER_A);
    ALL_SIZES(WCHAR, PROVIDER_W);
    OK(SCardLocateCardsA(context, NAME_A "\0", &state, 1));
    CHECK(state.dwEventState & SCARD_STATE_ATRMATCH);

    /* Introduced again, with the length that the answer says itself, it is another one. */
    OK(SCardIntroduceCardTypeA(context, NAME_A, NULL, NULL, 0, (const BYTE *)"\x3B\x02\x14\x50", NULL, 0));
    EXPECT(SCardGetProviderIdA(context, NAME_A, &guid), SCARD_E_ICC_INSTALLATION);
    OK(SCardLocateCardsA(context, NAME_A "\0", &state, 1));
    CHECK(!(state.dwEventState & SCARD_STATE_ATRMATCH));
    OK(SCardForgetCardTypeA(context, NAME_A));
    EXPECT(SCardForgetCardTypeA(context, NAME_A), SCARD_E_UNKNOWN_CARD);
}

/* Another name of a reader, and a group with it. */
static void names_and_groups(void)
{
    static const char other[] = "T\xC3\xBCr", group[] = "T\xC3\xBCren", list[] = "T\xC3\xBCren\0";
    SCARDHANDLE card;
    char text[512];
    DWORD length = sizeof text, protocol;

    EXPECT(SCardIntroduceReaderW(context, u"T\u00FCr", u"T\u00FCr"), SCARD_E_UNKNOWN_READER);
    OK(SCardIntroduceReaderA(context, other, reader));
    EXPECT(SCardIntroduceReaderA(context, other, reader), SCARD_E_DUPLICATE_READER);
    OK(SCardListReadersA(context, NULL, text, &length));
    CHECK(holds(text, other, 2));
    OK(SCardConnectW(context, u"T\u00FCr", SCARD_SHARE_SHARED, SCARD_PROTOCOL_Tx, &card, &protocol));
    length = sizeof text;
    OK(SCardStatusA(card, text, &length, NULL, NULL, NULL, NULL));
    CHECK(strcmp(text, reader) == 0 && holds(text, other, 2));
    OK(SCardDisconnect(card, SCARD_LEAVE_CARD));

    OK(SCardAddReaderToGroupA(context, other, group));
    length = sizeof text;
    OK(SCardListReaderGroupsA(context, text, &length));
    CHECK(holds(text, group, 2));
    length = sizeof text;
    OK(SCardListReadersA(context, list, text, &length));
    CHECK(holds(text, reader, 2));
    OK(SCardRemoveReaderFromGroupW(context, u"T\u00FCr", u"T\u00FCren"));
    EXPECT(SCardListReadersA(context, list, text, &length), SCARD_E_NO_READERS_AVAILABLE);
    OK(SCardAddReaderToGroupW(context, u"T\u00FCr", u"T\u00FCren"));
    OK(SCardForgetReaderGroupA(context, group));
    EXPECT(SCardListReadersA(context, list, text, &length), SCARD_E_NO_READERS_AVAILABLE);
    OK(SCardForgetReaderW(context, u"T\u00FCr"));
    EXPECT(SCardForgetReaderW(context, u"T\u00FCr"), SCARD_E_UNKNOWN_READER);
}

int main(void)
{
    static const BYTE atr[] = {0x3B, 0x02, 0x14, 0x50}, no_atr[] = {0x3C, 0x00}, outside[] = {0xFF, 0x00, 0xFF, 0xFF};
    GUID guid = {0};
    char text[512], names[512];
    WCHAR wide[512];
    DWORD length = 0, number = 0;

    context = establish(SCARD_SCOPE_USER);
    reader = first_reader(context);
    card_types();
    names_and_groups();

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
