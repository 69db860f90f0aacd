/* What the test programs share: each expectation that fails says so and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winscard.h>

static const BYTE select_piv[] = {0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00};

#define CHECK(condition) check((condition) != 0, 1, #condition, __FILE__, __LINE__)
#define EXPECT(call, code) check((call), (code), #call, __FILE__, __LINE__)
#define OK(call) EXPECT(call, SCARD_S_SUCCESS)

static inline void check(LONG got, LONG wanted, const char *what, const char *file, int line)
{
    if (got == wanted)
        return;
    printf("%s:%d: %s is %X, not %X\n", file, line, what, (unsigned)got, (unsigned)wanted);
    fflush(stdout);
    _Exit(1);
}

static inline SCARDCONTEXT establish(DWORD scope)
{
    SCARDCONTEXT context = 0;
    OK(SCardEstablishContext(scope, NULL, NULL, &context));
    CHECK(context != 0);
    return context;
}

/* The first reader; good for the life of the program. */
static inline const char *first_reader(SCARDCONTEXT context)
{
    static char names[4096];
    DWORD length = sizeof names;
    OK(SCardListReadersA(context, NULL, names, &length));
    return names;
}

static inline DWORD units(const WCHAR *text)
{
    DWORD count = 0;
    while (text[count])
        count++;
    return count;
}

static inline SCARDHANDLE connect_card(SCARDCONTEXT context)
{
    SCARDHANDLE card = 0;
    DWORD protocol;
    OK(SCardConnectA(context, first_reader(context), SCARD_SHARE_SHARED, SCARD_PROTOCOL_Tx, &card, &protocol));
    return card;
}

/*
 * Calls that answer with a buffer: every size from 0 to the one that is needed, the length alone, and an allocation.
 * CALL(buffer, length) is made with a TYPE* and a DWORD*.
 */
#define ALL_SIZES(TYPE, CALL) \
    do { \
        TYPE *room_, *memory_ = NULL; \
        DWORD needed_ = 12345, length_ = SCARD_AUTOALLOCATE, size_; \
        OK(CALL((TYPE *)NULL, &needed_)); \
        room_ = calloc(needed_ + 1, sizeof(TYPE)); \
        OK(CALL((TYPE *)&memory_, &length_)); \
        CHECK(length_ == needed_ && memory_ != NULL); \
        for (size_ = 0; size_ < needed_; size_++) { \
            length_ = size_; \
            memset(room_, 0xEE, (needed_ + 1) * sizeof(TYPE)); \
            EXPECT(CALL(room_, &length_), SCARD_E_INSUFFICIENT_BUFFER); \
            CHECK(length_ == needed_ && *(unsigned char *)room_ == 0xEE); \
        } \
        length_ = needed_; \
        memset(room_, 0xEE, (needed_ + 1) * sizeof(TYPE)); \
        OK(CALL(room_, &length_)); \
        CHECK(length_ == needed_ && memcmp(room_, memory_, needed_ * sizeof(TYPE)) == 0); \
        CHECK(((unsigned char *)(room_ + needed_))[0] == 0xEE); \
        OK(SCardFreeMemory(0, memory_)); \
        EXPECT(SCardFreeMemory(0, memory_), SCARD_E_INVALID_VALUE); \
        EXPECT(SCardFreeMemory(0, room_), SCARD_E_INVALID_VALUE); \
        EXPECT(CALL((TYPE *)&memory_, NULL), SCARD_E_INVALID_PARAMETER); \
        length_ = SCARD_AUTOALLOCATE; \
        EXPECT(CALL((TYPE *)NULL, &length_), SCARD_E_INVALID_PARAMETER); \
        free(room_); \
    } while (0)

#endif
