/*
 * Somebody else is inside a transaction. With PCSCLITE_NO_BLOCKING the calls that would wait say so soon; without it they
 * wait until the card is free, and not longer.
 */
#include <pthread.h>
#include <unistd.h>

#include "check.h"

static SCARDHANDLE holder;
static double freed;

static void *let_go(void *unused)
{
    (void)unused;
    usleep(400000);
    freed = seconds();
    EXPECT(SCardEndTransaction(holder, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    return NULL;
}

static LONG call(int which, SCARDHANDLE card)
{
    DWORD protocol;
    switch (which) {
    case 0:
        return transmit(card);
    case 1:
        return SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL);
    case 2:
        return SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, SCARD_LEAVE_CARD, &protocol);
    default:
        return SCardBeginTransaction(card);
    }
}

int main(void)
{
    SCARDCONTEXT one = establish(), two = establish();
    SCARDHANDLE card = connect_card(two);
    int impatient = getenv("PCSCLITE_NO_BLOCKING") != NULL, which;

    holder = connect_card(one);
    for (which = 0; which < 4; which++) {
        pthread_t thread;
        double began = seconds();
        EXPECT(SCardBeginTransaction(holder), SCARD_S_SUCCESS);
        if (impatient && which < 3) {
            EXPECT(call(which, card), SCARD_E_SHARING_VIOLATION);
            CHECK(seconds() - began < 2);
            EXPECT(SCardEndTransaction(holder, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
            continue;
        }
        EXPECT(pthread_create(&thread, NULL, let_go, NULL), 0);
        EXPECT(call(which, card), SCARD_S_SUCCESS);
        CHECK(seconds() - began >= 0.4);
        EXPECT(pthread_join(thread, NULL), 0);
        CHECK(seconds() - freed < 2);
    }
    EXPECT(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);

    /* Control and attributes never wait. */
    EXPECT(SCardBeginTransaction(holder), SCARD_S_SUCCESS);
    {
        unsigned char buffer[264];
        DWORD length = sizeof buffer;
        double began = seconds();
        EXPECT(SCardGetAttrib(card, 0x00090303, buffer, &length), SCARD_E_SHARING_VIOLATION);
        EXPECT(SCardControl(card, 0x42000D48, NULL, 0, buffer, sizeof buffer, &length), SCARD_E_SHARING_VIOLATION);
        CHECK(seconds() - began < 1);
    }
    EXPECT(SCardReleaseContext(one), SCARD_S_SUCCESS);
    EXPECT(SCardReleaseContext(two), SCARD_S_SUCCESS);
    return 0;
}
