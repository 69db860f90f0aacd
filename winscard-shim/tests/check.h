/* What the test programs share: each expectation that fails says so and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <winscard.h>

static const unsigned char select_piv[] = {0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00};

#define CHECK(condition) check((condition) != 0, 1, #condition, __FILE__, __LINE__)
#define EXPECT(call, code) check((call), (code), #call, __FILE__, __LINE__)

static inline void check(LONG got, LONG wanted, const char *what, const char *file, int line)
{
    if (got == wanted)
        return;
    printf("%s:%d: %s is %lX, not %lX\n", file, line, what, (unsigned long)got, (unsigned long)wanted);
    fflush(stdout);
    _Exit(1);
}

static inline SCARDCONTEXT establish(void)
{
    SCARDCONTEXT context = 0;
    EXPECT(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_S_SUCCESS);
    return context;
}

/* The first reader; good for the life of the program. */
static inline const char *first_reader(SCARDCONTEXT context)
{
    static char names[4096];
    DWORD length = sizeof names;
    EXPECT(SCardListReaders(context, NULL, names, &length), SCARD_S_SUCCESS);
    return names;
}

static inline SCARDHANDLE connect_card(SCARDCONTEXT context)
{
    SCARDHANDLE card = 0;
    DWORD protocol;
    EXPECT(SCardConnect(context, first_reader(context), SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol),
           SCARD_S_SUCCESS);
    return card;
}

static inline LONG transmit(SCARDHANDLE card)
{
    unsigned char answer[300];
    DWORD length = sizeof answer;
    LONG rv = SCardTransmit(card, SCARD_PCI_T1, select_piv, sizeof select_piv, NULL, answer, &length);
    if (rv == SCARD_S_SUCCESS)
        CHECK(length >= 2);
    return rv;
}

static inline double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Tells the test a word, and waits for its answer. */
static inline void tell_and_wait(const char *word)
{
    char line[64];
    puts(word);
    fflush(stdout);
    CHECK(fgets(line, sizeof line, stdin) != NULL);
}

#endif
