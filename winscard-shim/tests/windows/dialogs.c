/* The choice of a card where nobody is asked (4.8). */
#include "check.h"

/* The program's own functions: they count how often they are called. */
static int connected, checked, let_go, answer;

static SCARDHANDLE WINAPI own_connect(SCARDCONTEXT context, LPSTR reader, LPSTR cards, PVOID own)
{
    SCARDHANDLE card = 0;
    DWORD protocol;
    CHECK(own == &connected && cards != NULL);
    connected++;
    OK(SCardConnectA(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_Tx, &card, &protocol));
    return card;
}

static BOOL WINAPI own_check(SCARDCONTEXT context, SCARDHANDLE card, PVOID own)
{
    CHECK(own == &connected);
    OK(SCardIsValidContext(context));
    OK(SCardStatusA(card, NULL, NULL, NULL, NULL, NULL, NULL));
    checked++;
    return answer;
}

static void WINAPI own_disconnect(SCARDCONTEXT context, SCARDHANDLE card, PVOID own)
{
    CHECK(own == &connected && context != 0);
    let_go++;
    OK(SCardDisconnect(card, SCARD_LEAVE_CARD));
}

int main(void)
{
    OPENCARD_SEARCH_CRITERIAA criteria = {0};
    SCARDCONTEXT context = establish(SCARD_SCOPE_USER);
    const char *first = first_reader(context);
    char reader[256], card[256];
    WCHAR wide[256];
    OPENCARDNAME_EXA asked = {0};
    OPENCARDNAMEW older = {0};

    asked.dwStructSize = sizeof asked;
    asked.hSCardContext = context;
    asked.dwFlags = SC_DLG_MINIMAL_UI;
    asked.dwShareMode = SCARD_SHARE_SHARED;
    asked.dwPreferredProtocols = SCARD_PROTOCOL_Tx;
    asked.lpstrRdr = reader;
    asked.nMaxRdr = sizeof reader;
    asked.lpstrCard = card;
    asked.nMaxCard = sizeof card;
    OK(SCardUIDlgSelectCardA(&asked));
    CHECK(strcmp(reader, first) == 0 && asked.nMaxRdr == strlen(reader) + 1);
    CHECK(asked.hCardHandle != 0 && asked.dwActiveProtocol != 0);
    OK(SCardStatusA(asked.hCardHandle, NULL, NULL, NULL, NULL, NULL, NULL));
    OK(SCardDisconnect(asked.hCardHandle, SCARD_LEAVE_CARD));

    /* What the program checks itself. */
    criteria.dwStructSize = sizeof criteria;
    criteria.lpfnCheck = own_check;
    criteria.pvUserData = &connected;
    asked.pOpenCardSearchCriteria = &criteria;
    asked.nMaxRdr = asked.nMaxCard = sizeof reader;
    EXPECT(SCardUIDlgSelectCardA(&asked), SCARD_E_INVALID_PARAMETER);
    criteria.lpfnConnect = own_connect;
    criteria.lpfnDisconnect = own_disconnect;
    asked.dwFlags = SC_DLG_NO_UI;
    EXPECT(SCardUIDlgSelectCardA(&asked), SCARD_W_CANCELLED_BY_USER);
    CHECK(connected == 1 && checked == 1 && let_go == 1);
    answer = 1;
    asked.lpfnConnect = own_connect;
    asked.pvUserData = &connected;
    OK(SCardUIDlgSelectCardA(&asked));
    CHECK(connected == 3 && checked == 2 && let_go == 2);
    OK(SCardDisconnect(asked.hCardHandle, SCARD_LEAVE_CARD));
    asked.pOpenCardSearchCriteria = NULL;
    asked.lpfnConnect = NULL;

    asked.dwFlags = SC_DLG_FORCE_UI;
    asked.nMaxRdr = asked.nMaxCard = sizeof reader;
    EXPECT(SCardUIDlgSelectCardA(&asked), SCARD_E_UNSUPPORTED_FEATURE);
    asked.dwStructSize--;
    EXPECT(SCardUIDlgSelectCardA(&asked), SCARD_E_INVALID_VALUE);
    EXPECT(SCardUIDlgSelectCardA(NULL), SCARD_E_INVALID_PARAMETER);

    older.dwStructSize = sizeof older;
    older.hSCardContext = context;
    older.dwFlags = SC_DLG_NO_UI;
    older.lpstrRdr = wide;
    older.nMaxRdr = 256;
    older.nMaxCard = 1;
    OK(GetOpenCardNameW(&older));
    CHECK(older.nMaxRdr == units(wide) + 1 && older.hCardHandle == 0);
    older.lpstrGroupNames = (WCHAR *)u"nobody's\0";
    EXPECT(GetOpenCardNameW(&older), SCARD_E_NO_READERS_AVAILABLE);
    OK(SCardDlgExtendedError());
    OK(SCardReleaseContext(context));
    return 0;
}
