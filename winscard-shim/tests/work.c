/*
 * Works with the first reader's card as programs do, and prints each code that is not success. After a failure it takes
 * the step that is documented for it: it gives the context up and establishes another. It ends well when everything
 * has worked once, from the first call to the last, within a few attempts.
 */
#include <stdio.h>
#include <string.h>

#include <winscard.h>

static const unsigned char select_piv[] = {0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00};

#define STEP(call)                                                     \
    do {                                                               \
        LONG rv = (call);                                              \
        if (rv != SCARD_S_SUCCESS) {                                   \
            printf("%08lX %.20s\n", (unsigned long)rv, #call);         \
            return 0;                                                  \
        }                                                              \
    } while (0)

static int work(SCARDCONTEXT context)
{
    unsigned char answer[300], atr[MAX_ATR_SIZE];
    char names[4096], name[MAX_READERNAME];
    DWORD length = sizeof names, state, protocol, name_length = sizeof name, atr_length = sizeof atr;
    SCARD_READERSTATE reader = {.szReader = names};
    SCARDHANDLE card;

    STEP(SCardListReaders(context, NULL, names, &length));
    STEP(SCardGetStatusChange(context, 1000, &reader, 1));
    STEP(SCardConnect(context, names, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol));
    STEP(SCardBeginTransaction(card));
    length = sizeof answer;
    STEP(SCardTransmit(card, SCARD_PCI_T1, select_piv, sizeof select_piv, NULL, answer, &length));
    if (length < 2 || answer[length - 2] != 0x90) {
        printf("a wrong answer of %lu bytes\n", length);
        return 0;
    }
    STEP(SCardStatus(card, name, &name_length, &state, &protocol, atr, &atr_length));
    STEP(SCardEndTransaction(card, SCARD_LEAVE_CARD));
    STEP(SCardDisconnect(card, SCARD_LEAVE_CARD));
    return 1;
}

int main(void)
{
    int attempt;
    for (attempt = 0; attempt < 5; attempt++) {
        SCARDCONTEXT context = 0;
        LONG rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
        if (rv != SCARD_S_SUCCESS) {
            printf("%08lX establish\n", (unsigned long)rv);
            continue;
        }
        if (work(context)) {
            rv = SCardReleaseContext(context);
            printf(rv == SCARD_S_SUCCESS ? "served\n" : "%08lX release\n", (unsigned long)rv);
            return rv != SCARD_S_SUCCESS;
        }
        SCardReleaseContext(context);
    }
    return 1;
}
