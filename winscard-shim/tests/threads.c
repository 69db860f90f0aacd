/*
 * One context, several threads: a wait is cancelled while other threads list, connect and transmit, and a cancel that
 * nobody needs has no effect later.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "check.h"

static SCARDCONTEXT context;
static const char *reader;
static atomic_int waiting;

static void *wait_for_ever(void *unused)
{
    SCARD_READERSTATE state = {.szReader = reader};
    (void)unused;
    EXPECT(SCardGetStatusChange(context, INFINITE, &state, 1), SCARD_S_SUCCESS);
    CHECK(state.dwEventState & SCARD_STATE_CHANGED);
    /* Whatever other threads do with the card is no news. */
    state.dwCurrentState = state.dwEventState & ~(DWORD)(SCARD_STATE_CHANGED | SCARD_STATE_INUSE | SCARD_STATE_EXCLUSIVE);
    waiting = 1;
    EXPECT(SCardGetStatusChange(context, INFINITE, &state, 1), SCARD_E_CANCELLED);
    waiting = 0;
    return NULL;
}

static void *use_the_card(void *unused)
{
    int round;
    (void)unused;
    for (round = 0; round < 50; round++) {
        SCARDHANDLE card = connect_card(context);
        EXPECT(SCardBeginTransaction(card), SCARD_S_SUCCESS);
        EXPECT(transmit(card), SCARD_S_SUCCESS);
        EXPECT(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
        EXPECT(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    }
    return NULL;
}

int main(void)
{
    pthread_t waiter, users[4];
    int round, user;

    context = establish();
    reader = first_reader(context);
    for (round = 0; round < 3; round++) {
        EXPECT(SCardCancel(context), SCARD_S_SUCCESS);
        EXPECT(pthread_create(&waiter, NULL, wait_for_ever, NULL), 0);
        while (!waiting)
            usleep(1000);
        for (user = 0; user < 4; user++)
            EXPECT(pthread_create(&users[user], NULL, use_the_card, NULL), 0);
        for (user = 0; user < 4; user++)
            EXPECT(pthread_join(users[user], NULL), 0);
        CHECK(waiting);
        EXPECT(SCardIsValidContext(context), SCARD_S_SUCCESS);
        EXPECT(SCardFreeMemory(context, malloc(1)), SCARD_S_SUCCESS);
        /* The waiter may be between its flag and its call. */
        while (waiting) {
            EXPECT(SCardCancel(context), SCARD_S_SUCCESS);
            usleep(1000);
        }
        EXPECT(pthread_join(waiter, NULL), 0);
    }

    /* A context that is released wakes who waits on it. */
    EXPECT(pthread_create(&waiter, NULL, wait_for_ever, NULL), 0);
    while (!waiting)
        usleep(1000);
    usleep(50000);
    EXPECT(SCardReleaseContext(context), SCARD_S_SUCCESS);
    EXPECT(pthread_join(waiter, NULL), 0);
    EXPECT(SCardIsValidContext(context), SCARD_E_INVALID_HANDLE);
    return 0;
}
