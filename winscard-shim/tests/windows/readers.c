/* Readers and groups: lists, states, cards that are looked for (4.2). The reader has a name that is not ASCII. */
#include "check.h"

static SCARDCONTEXT context;

#define LIST_A(buffer, length) SCardListReadersA(context, NULL, buffer, length)
#define LIST_W(buffer, length) SCardListReadersW(context, NULL, buffer, length)
#define GROUPS_A(buffer, length) SCardListReaderGroupsA(context, buffer, length)
#define GROUPS_W(buffer, length) SCardListReaderGroupsW(context, buffer, length)

int main(int argc, char **argv)
{
    char names[512];
    WCHAR wide[512];
    DWORD length = sizeof names, wide_length = 512, only = 0;
    SCARD_READERSTATEA state = {0}, two[2] = {0};
    SCARD_READERSTATEW state_w = {0};
    SCARD_ATRMASK masks[2] = {0};

    context = establish(SCARD_SCOPE_USER);
    ALL_SIZES(char, LIST_A);
    ALL_SIZES(WCHAR, LIST_W);
    ALL_SIZES(char, GROUPS_A);
    ALL_SIZES(WCHAR, GROUPS_W);

    /* Lengths are counted in units of the text, with both NULs. */
    CHECK(argc == 2);
    OK(SCardListReadersA(context, NULL, names, &length));
    CHECK(strcmp(names, argv[1]) == 0);
    CHECK(length == strlen(names) + 2 && names[length - 1] == 0 && names[length - 2] == 0);
    OK(SCardListReadersW(context, NULL, wide, &wide_length));
    CHECK(wide_length == units(wide) + 2 && wide_length < length);

    /* A context is not needed, a valid one or none is. */
    OK(SCardListReadersA(0, NULL, NULL, &only));
    CHECK(only == length);
    OK(SCardListReaderGroupsW(0, NULL, &only));
    EXPECT(SCardListReadersA(12345, NULL, NULL, &only), SCARD_E_INVALID_HANDLE);

    /* Groups. */
    OK(SCardListReadersA(context, SCARD_ALL_READERSA, NULL, &only));
    CHECK(only == length);
    OK(SCardListReadersA(context, "nobody's\0SCard$DefaultReaders\0", NULL, &only));
    CHECK(only == length);
    OK(SCardListReadersW(context, SCARD_DEFAULT_READERSW, NULL, &only));
    CHECK(only == wide_length);
    EXPECT(SCardListReadersA(context, "nobody's\0", NULL, &only), SCARD_E_NO_READERS_AVAILABLE);
    only = sizeof names;
    OK(SCardListReaderGroupsA(context, names, &only));
    CHECK(only == sizeof "SCard$DefaultReaders" + 1 && memcmp(names, "SCard$DefaultReaders\0", only) == 0);
    strcpy(names, argv[1]);

    /* States. */
    state.szReader = names;
    EXPECT(SCardGetStatusChangeA(0, 0, &state, 1), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardGetStatusChangeA(context, 0, NULL, 1), SCARD_E_INVALID_PARAMETER);
    OK(SCardGetStatusChangeA(context, INFINITE, &state, 1));
    CHECK((state.dwEventState & 0xFFFF) == (SCARD_STATE_PRESENT | SCARD_STATE_CHANGED));
    CHECK(state.cbAtr > 2 && state.rgbAtr[0] == 0x3B);
    state_w.szReader = wide;
    OK(SCardGetStatusChangeW(context, INFINITE, &state_w, 1));
    CHECK(state_w.dwEventState == state.dwEventState && state_w.cbAtr == state.cbAtr);
    CHECK(memcmp(state_w.rgbAtr, state.rgbAtr, sizeof state.rgbAtr) == 0);
    state.dwCurrentState = state.dwEventState;
    EXPECT(SCardGetStatusChangeA(context, 0, &state, 1), SCARD_E_TIMEOUT);
    EXPECT(SCardGetStatusChangeA(context, 10, &state, 1), SCARD_E_TIMEOUT);

    /* A reader that nobody knows is told of in its entry, beside the one that is there. */
    two[0].szReader = "nobody's \xC3\xA9";
    two[1].szReader = names;
    two[1].pvUserData = two;
    OK(SCardGetStatusChangeA(context, INFINITE, two, 2));
    CHECK(two[0].dwEventState == (SCARD_STATE_UNKNOWN | SCARD_STATE_CHANGED | SCARD_STATE_IGNORE));
    CHECK(two[1].dwEventState & SCARD_STATE_PRESENT && two[1].pvUserData == two);
    two[0].dwCurrentState = SCARD_STATE_UNKNOWN;
    two[1].dwCurrentState = two[1].dwEventState;
    EXPECT(SCardGetStatusChangeA(context, 10, two, 2), SCARD_E_TIMEOUT);
    two[0].dwCurrentState = two[1].dwCurrentState = SCARD_STATE_IGNORE;
    OK(SCardGetStatusChangeA(context, INFINITE, two, 2));

    /* Cards that are looked for. */
    masks[0].cbAtr = masks[1].cbAtr = state.cbAtr;
    memcpy(masks[0].rgbAtr, state.rgbAtr, state.cbAtr);
    memset(masks[0].rgbMask, 0xFF, state.cbAtr);
    masks[1].rgbAtr[0] = 0x3F;
    masks[1].rgbMask[0] = 0xFF;
    OK(SCardLocateCardsByATRA(context, masks, 1, &state, 1));
    CHECK(state.dwEventState & SCARD_STATE_ATRMATCH);
    OK(SCardLocateCardsByATRW(context, masks + 1, 1, &state_w, 1));
    CHECK(!(state_w.dwEventState & SCARD_STATE_ATRMATCH));
    OK(SCardLocateCardsByATRW(context, masks, 2, &state_w, 1));
    CHECK(state_w.dwEventState & SCARD_STATE_ATRMATCH);
    masks[0].cbAtr = 37;
    EXPECT(SCardLocateCardsByATRA(context, masks, 1, &state, 1), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardLocateCardsByATRA(context, NULL, 1, &state, 1), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardLocateCardsA(context, "nobody's card\0", &state, 1), SCARD_E_UNKNOWN_CARD);
    EXPECT(SCardLocateCardsW(context, u"nobody's card\0", &state_w, 1), SCARD_E_UNKNOWN_CARD);
    EXPECT(SCardLocateCardsA(context, NULL, &state, 1), SCARD_E_INVALID_PARAMETER);
    OK(SCardReleaseContext(context));
    return 0;
}
