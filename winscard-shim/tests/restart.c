/*
 * The daemon is killed and started again, now and then, at our word: the context goes on, its cards do not, whoever waits
 * is told, and no call to list the readers ever fails.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static SCARDCONTEXT context;
static const char *reader;
static atomic_int stop, rounds;

static int descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static DWORD counter(const SCARD_READERSTATE *state)
{
    return state->dwEventState >> 16;
}

static void *wait_for_ever(void *state)
{
    EXPECT(SCardGetStatusChange(context, INFINITE, state, 1), SCARD_S_SUCCESS);
    return NULL;
}

static void *list_again_and_again(void *unused)
{
    (void)unused;
    while (!stop) {
        DWORD length = 0;
        EXPECT(SCardListReaders(context, NULL, NULL, &length), SCARD_S_SUCCESS);
        rounds++;
    }
    return NULL;
}

/* Until every thread has asked a few times. */
static void let_them_ask(void)
{
    int from = rounds;
    while (rounds < from + 1000)
        usleep(1000);
}

static void is_gone(SCARDHANDLE card)
{
    unsigned char buffer[64];
    DWORD value, length = sizeof buffer;

    EXPECT(transmit(card), SCARD_E_READER_UNAVAILABLE);
    EXPECT(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), SCARD_E_READER_UNAVAILABLE);
    EXPECT(SCardBeginTransaction(card), SCARD_E_READER_UNAVAILABLE);
    EXPECT(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_E_READER_UNAVAILABLE);
    EXPECT(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, SCARD_RESET_CARD, &value),
           SCARD_E_READER_UNAVAILABLE);
    EXPECT(SCardControl(card, 0x42000D48, NULL, 0, buffer, sizeof buffer, &length), SCARD_E_READER_UNAVAILABLE);
    EXPECT(SCardGetAttrib(card, 0x00090303, buffer, &length), SCARD_E_READER_UNAVAILABLE);
    EXPECT(SCardSetAttrib(card, 0x00090303, buffer, 1), SCARD_E_READER_UNAVAILABLE);
}

int main(void)
{
    SCARD_READERSTATE state = {0}, before;
    pthread_t waiter, listers[4];
    SCARDHANDLE card, fresh;
    pid_t child;
    int number, status, open_before = descriptors();

    context = establish();
    reader = first_reader(context);
    card = connect_card(context);
    EXPECT(SCardBeginTransaction(card), SCARD_S_SUCCESS);
    EXPECT(transmit(card), SCARD_S_SUCCESS);
    state.szReader = reader;
    EXPECT(SCardGetStatusChange(context, 0, &state, 1), SCARD_S_SUCCESS);
    state.dwCurrentState = state.dwEventState & ~(DWORD)SCARD_STATE_INUSE;
    before = state;

    /* A waiter is told: the card is there, and its counter is another. So is who did not wait, once. */
    EXPECT(pthread_create(&waiter, NULL, wait_for_ever, &state), 0);
    tell_and_wait("restart");
    EXPECT(pthread_join(waiter, NULL), 0);
    CHECK(state.dwEventState & SCARD_STATE_CHANGED && state.dwEventState & SCARD_STATE_PRESENT);
    CHECK(counter(&state) != counter(&before));
    state.dwCurrentState = state.dwEventState;
    EXPECT(SCardGetStatusChange(context, 0, &state, 1), SCARD_E_TIMEOUT);
    EXPECT(SCardGetStatusChange(context, 0, &before, 1), SCARD_S_SUCCESS);

    /* The context is what it was, the card is not, also beside a new one. */
    EXPECT(SCardIsValidContext(context), SCARD_S_SUCCESS);
    is_gone(card);
    fresh = connect_card(context);
    CHECK(fresh != card);
    EXPECT(SCardBeginTransaction(fresh), SCARD_S_SUCCESS);
    EXPECT(transmit(fresh), SCARD_S_SUCCESS);
    EXPECT(SCardEndTransaction(fresh, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    is_gone(card);
    EXPECT(SCardDisconnect(card, SCARD_RESET_CARD), SCARD_S_SUCCESS);
    EXPECT(SCardDisconnect(card, SCARD_RESET_CARD), SCARD_E_INVALID_HANDLE);
    EXPECT(transmit(fresh), SCARD_S_SUCCESS);

    /* A child has no part in it. */
    child = fork();
    if (child == 0) {
        DWORD length = 0;
        EXPECT(SCardListReaders(context, NULL, NULL, &length), SCARD_E_INVALID_HANDLE);
        EXPECT(transmit(fresh), SCARD_E_INVALID_HANDLE);
        EXPECT(SCardReleaseContext(establish()), SCARD_S_SUCCESS);
        exit(0);
    }
    EXPECT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT(transmit(fresh), SCARD_S_SUCCESS);

    /* Threads that list readers all the time do not notice. */
    for (number = 0; number < 4; number++)
        EXPECT(pthread_create(&listers[number], NULL, list_again_and_again, NULL), 0);
    for (number = 0; number < 3; number++) {
        let_them_ask();
        tell_and_wait("restart");
    }
    let_them_ask();
    stop = 1;
    for (number = 0; number < 4; number++)
        EXPECT(pthread_join(listers[number], NULL), 0);
    is_gone(fresh);

    /* Who has nothing left gives it up without an error. */
    tell_and_wait("stop");
    EXPECT(SCardDisconnect(fresh, SCARD_RESET_CARD), SCARD_S_SUCCESS);
    EXPECT(SCardReleaseContext(context), SCARD_S_SUCCESS);
    EXPECT(SCardIsValidContext(context), SCARD_E_INVALID_HANDLE);
    EXPECT(descriptors(), open_before);
    puts("done");
    return 0;
}
