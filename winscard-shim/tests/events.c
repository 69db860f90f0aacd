/*
 * Cards come and go while the program waits; the test moves them when it is told to. Nothing is lost between two waits.
 */
#include "check.h"

static SCARD_READERSTATE state;

static DWORD counter(void)
{
    return state.dwEventState >> 16 & 0xFFFF;
}

static void next(SCARDCONTEXT context, const char *word, DWORD wanted)
{
    DWORD before = counter();
    state.dwCurrentState = state.dwEventState;
    puts(word);
    fflush(stdout);
    EXPECT(SCardGetStatusChange(context, INFINITE, &state, 1), SCARD_S_SUCCESS);
    EXPECT((LONG)(state.dwEventState & 0xFFFF), (LONG)(wanted | SCARD_STATE_CHANGED));
    EXPECT((LONG)counter(), (LONG)(before + 1));
    CHECK((state.cbAtr > 0) == (wanted == SCARD_STATE_PRESENT));
}

int main(void)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card;
    DWORD known, protocol;
    int round;

    state.szReader = first_reader(context);
    EXPECT(SCardGetStatusChange(context, INFINITE, &state, 1), SCARD_S_SUCCESS);
    CHECK(state.dwEventState & SCARD_STATE_PRESENT && state.cbAtr > 0);

    for (round = 0; round < 5; round++) {
        next(context, "remove", SCARD_STATE_EMPTY);
        next(context, "insert", SCARD_STATE_PRESENT);
    }

    /* What happens while nobody waits is found by the counter. */
    known = state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    tell_and_wait("swap");
    state.dwCurrentState = known;
    EXPECT(SCardGetStatusChange(context, INFINITE, &state, 1), SCARD_S_SUCCESS);
    EXPECT((LONG)(state.dwEventState & 0xFFFF), SCARD_STATE_PRESENT | SCARD_STATE_CHANGED);
    EXPECT((LONG)counter(), (LONG)((known >> 16) + 2));
    state.dwCurrentState = state.dwEventState;
    EXPECT(SCardGetStatusChange(context, 10, &state, 1), SCARD_E_TIMEOUT);
    CHECK(!(state.dwEventState & SCARD_STATE_CHANGED) && state.dwEventState & SCARD_STATE_PRESENT && state.cbAtr > 0);

    /* A handle outlives its card, and says so until it is connected again. */
    card = connect_card(context);
    EXPECT(transmit(card), SCARD_S_SUCCESS);
    tell_and_wait("swap");
    EXPECT(transmit(card), SCARD_W_REMOVED_CARD);
    EXPECT(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), SCARD_W_REMOVED_CARD);
    EXPECT(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, SCARD_LEAVE_CARD, &protocol), SCARD_S_SUCCESS);
    EXPECT(transmit(card), SCARD_S_SUCCESS);
    EXPECT(SCardReleaseContext(context), SCARD_S_SUCCESS);
    puts("done");
    return 0;
}
