/*
 * What a stranger's process must not notice: no thread, no signal handler, no SIGPIPE, descriptors that programs it starts
 * do not inherit. The test stops the daemon and starts another one meanwhile.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "check.h"

static int entries(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void signals_are(const struct sigaction *expected)
{
    int number;
    for (number = 1; number < 32; number++) {
        struct sigaction now;
        if (sigaction(number, NULL, &now) == 0)
            CHECK(now.sa_handler == expected[number].sa_handler);
    }
}

int main(void)
{
    struct sigaction before[32];
    SCARD_READERSTATE state = {0};
    SCARDCONTEXT context, waiting, fresh;
    SCARDHANDLE card;
    DWORD length = 0;
    int number, descriptors, was_open[64];

    for (number = 0; number < 64; number++)
        was_open[number] = fcntl(number, F_GETFD) != -1;
    for (number = 1; number < 32; number++)
        sigaction(number, NULL, &before[number]);
    descriptors = entries("/proc/self/fd");

    context = establish();
    waiting = establish();
    card = connect_card(context);
    EXPECT(transmit(card), SCARD_S_SUCCESS);
    EXPECT(entries("/proc/self/task"), 3); /* with . and .. */
    for (number = 0; number < 64; number++) {
        int flags = fcntl(number, F_GETFD);
        CHECK(was_open[number] || flags == -1 || (flags & FD_CLOEXEC));
    }
    signals_are(before);

    /* The daemon dies while we wait. */
    state.szReader = first_reader(waiting);
    EXPECT(SCardGetStatusChange(waiting, 0, &state, 1), SCARD_S_SUCCESS);
    state.dwCurrentState = state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    puts("waiting");
    fflush(stdout);
    /* Nobody comes in its place for a while: the wait is given up. */
    EXPECT(SCardGetStatusChange(waiting, INFINITE, &state, 1), SCARD_E_NO_SERVICE);

    /* A card handle and a context whose connection is gone: the same answer, again and again. */
    for (number = 0; number < 3; number++) {
        EXPECT(transmit(card), SCARD_E_READER_UNAVAILABLE);
        EXPECT(SCardListReaders(context, NULL, NULL, &length), SCARD_E_NO_SERVICE);
        EXPECT(SCardCancel(context), SCARD_S_SUCCESS);
        EXPECT(SCardIsValidContext(context), SCARD_S_SUCCESS);
    }
    EXPECT(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &fresh), SCARD_E_NO_SERVICE);

    tell_and_wait("nobody there");
    fresh = establish();
    card = connect_card(fresh);
    EXPECT(transmit(card), SCARD_S_SUCCESS);
    EXPECT(SCardListReaders(context, NULL, NULL, &length), SCARD_S_SUCCESS);

    /* One context has found the new daemon, the other was not asked: both can be given up. */
    EXPECT(SCardReleaseContext(context), SCARD_S_SUCCESS);
    EXPECT(SCardIsValidContext(context), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardReleaseContext(context), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardReleaseContext(waiting), SCARD_S_SUCCESS);
    EXPECT(SCardReleaseContext(fresh), SCARD_S_SUCCESS);
    EXPECT(entries("/proc/self/fd"), descriptors);
    signals_are(before);
    puts("done");
    return 0;
}
