/* Contexts, memory, and the event of the service (4.1). */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static SCARDCONTEXT waiting;
static atomic_int is_over;

static void *wait_for_ever(void *result)
{
    SCARD_READERSTATEW state = {u"\\\\?PnP?\\Notification", NULL, 0, 0, 0, {0}};
    *(LONG *)result = SCardGetStatusChangeW(waiting, INFINITE, &state, 1);
    is_over = 1;
    return NULL;
}

int main(void)
{
    SCARDCONTEXT context = 7, other;
    HANDLE started;
    struct pollfd event = {0, POLLIN, 0};
    pthread_t thread;
    LONG result = 0;
    DWORD length = 0;

    EXPECT(SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, NULL), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardEstablishContext(3, NULL, NULL, &context), SCARD_E_INVALID_VALUE);
    CHECK(context == 0);
    context = establish(SCARD_SCOPE_USER);
    other = establish(SCARD_SCOPE_SYSTEM);
    CHECK(context != other);

    OK(SCardIsValidContext(context));
    EXPECT(SCardIsValidContext(0), ERROR_INVALID_HANDLE);
    EXPECT(SCardIsValidContext((SCARDCONTEXT)-1), ERROR_INVALID_HANDLE);
    EXPECT(SCardIsValidContext(context + ((SCARDCONTEXT)1 << 32)), ERROR_INVALID_HANDLE);

    /* With nobody waiting, a cancel changes nothing that comes later. */
    OK(SCardCancel(context));
    EXPECT(SCardCancel(0), SCARD_E_INVALID_HANDLE);

    waiting = establish(SCARD_SCOPE_USER);
    EXPECT(pthread_create(&thread, NULL, wait_for_ever, &result), 0);
    /* The thread may not wait yet: only the cancel that finds it ends it. */
    while (!is_over)
        OK(SCardCancel(waiting));
    EXPECT(pthread_join(thread, NULL), 0);
    EXPECT(result, SCARD_E_CANCELLED);

    /* What was allocated is freed after the release as well. */
    {
        char *names = NULL;
        length = SCARD_AUTOALLOCATE;
        OK(SCardListReadersA(context, NULL, (char *)&names, &length));
        OK(SCardReleaseContext(context));
        OK(SCardFreeMemory(context, names));
        EXPECT(SCardFreeMemory(context, names), SCARD_E_INVALID_VALUE);
        OK(SCardFreeMemory(context, NULL));
    }
    EXPECT(SCardReleaseContext(context), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardIsValidContext(context), ERROR_INVALID_HANDLE);

    started = SCardAccessStartedEvent();
    CHECK(started != NULL && SCardAccessStartedEvent() == started);
    event.fd = (int)(intptr_t)started;
    CHECK(poll(&event, 1, 0) == 1);
    SCardReleaseStartedEvent();
    CHECK(poll(&event, 1, 0) == 1 && event.revents == POLLIN);
    SCardReleaseStartedEvent();
    CHECK(poll(&event, 1, 0) == 1 && event.revents == POLLNVAL);
    SCardReleaseStartedEvent();

    EXPECT(SCardAudit(other, 2), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardAudit(0, SCARD_AUDIT_CHV_SUCCESS), SCARD_E_INVALID_HANDLE);

    /* A forked child starts from nothing, and leaves its parent alone. */
    {
        int status = 1;
        pid_t child = fork();
        if (child == 0) {
            EXPECT(SCardIsValidContext(other), ERROR_INVALID_HANDLE);
            EXPECT(SCardReleaseContext(other), SCARD_E_INVALID_HANDLE);
            OK(SCardReleaseContext(establish(SCARD_SCOPE_USER)));
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        OK(SCardListReadersA(other, NULL, NULL, &length));
    }
    OK(SCardReleaseContext(other));

    /* Nobody there. */
    CHECK(setenv("SCARD_SOCKET", "/nonexistent/socket", 1) == 0);
    EXPECT(SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context), SCARD_E_NO_SERVICE);
    CHECK(context == 0);
    EXPECT(SCardListReadersA(0, NULL, NULL, &length), SCARD_E_NO_SERVICE);
    event.fd = (int)(intptr_t)SCardAccessStartedEvent();
    CHECK(event.fd > 0 && poll(&event, 1, 0) == 0);
    SCardReleaseStartedEvent();
    return 0;
}
