/*
 * A child is a process of its own: what its parent opened is worth nothing there, what it opens itself is good, and the
 * parent does not notice. Threads that use the library at the moment of the fork do no harm.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static atomic_int stop;

static void inherited_is_worth_nothing(SCARDCONTEXT context, SCARDHANDLE card, const char *reader)
{
    SCARD_READERSTATE state = {.szReader = reader};
    SCARDHANDLE other;
    DWORD value, length = 0;
    unsigned char buffer[64];

    EXPECT(SCardIsValidContext(context), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardListReaders(context, NULL, NULL, &length), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardListReaderGroups(context, NULL, &length), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardGetStatusChange(context, INFINITE, &state, 1), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardConnect(context, reader, SCARD_SHARE_SHARED, 3, &other, &value), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardCancel(context), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardFreeMemory(context, NULL), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardBeginTransaction(card), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardReconnect(card, SCARD_SHARE_SHARED, 3, SCARD_LEAVE_CARD, &value), SCARD_E_INVALID_HANDLE);
    EXPECT(transmit(card), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardControl(card, 1, NULL, 0, NULL, 0, NULL), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardGetAttrib(card, 1, NULL, &length), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardSetAttrib(card, 1, buffer, 1), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardReleaseContext(context), SCARD_E_INVALID_HANDLE);
}

static void own_is_good(void)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_card(context);
    EXPECT(transmit(card), SCARD_S_SUCCESS);
    EXPECT(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    EXPECT(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void ended_well(pid_t child)
{
    int status;
    EXPECT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *busy(void *context)
{
    while (!stop)
        SCardIsValidContext(*(SCARDCONTEXT *)context);
    return NULL;
}

int main(void)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_card(context);
    const char *reader = first_reader(context);
    pthread_t threads[4];
    pid_t child;
    int round;

    EXPECT(SCardBeginTransaction(card), SCARD_S_SUCCESS);
    EXPECT(transmit(card), SCARD_S_SUCCESS);
    child = fork();
    if (child == 0) {
        pid_t grandchild;
        SCARDCONTEXT own;
        inherited_is_worth_nothing(context, card, reader);
        own = establish();
        inherited_is_worth_nothing(context, card, reader);
        grandchild = fork();
        if (grandchild == 0) {
            EXPECT(SCardIsValidContext(own), SCARD_E_INVALID_HANDLE);
            EXPECT(SCardReleaseContext(establish()), SCARD_S_SUCCESS);
            exit(0);
        }
        ended_well(grandchild);
        EXPECT(SCardReleaseContext(own), SCARD_S_SUCCESS);
        exit(0);
    }
    ended_well(child);
    EXPECT(transmit(card), SCARD_S_SUCCESS);
    EXPECT(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);

    child = fork();
    if (child == 0) {
        own_is_good();
        exit(0);
    }
    ended_well(child);

    for (round = 0; round < 4; round++)
        EXPECT(pthread_create(&threads[round], NULL, busy, &context), 0);
    for (round = 0; round < 200; round++) {
        child = fork();
        if (child == 0) {
            alarm(20);
            EXPECT(SCardIsValidContext(context), SCARD_E_INVALID_HANDLE);
            _exit(0);
        }
        ended_well(child);
    }
    stop = 1;
    for (round = 0; round < 4; round++)
        EXPECT(pthread_join(threads[round], NULL), 0);

    EXPECT(transmit(card), SCARD_S_SUCCESS);
    EXPECT(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    EXPECT(SCardReleaseContext(context), SCARD_S_SUCCESS);
    return 0;
}
