/*
 * A program that makes the calls of PC/SC as it is told, with any numbers, and prints all that comes back.
 *
 * A line of standard input is THREAD CALL ARGUMENT..., and each thread answers with THREAD CODE VALUE... Contexts (c0 to
 * c7) and card handles (h0 to h7) are places that all threads share and that keep their numbers when they are closed.
 * Two lines are answered without a thread: "= PLACE" prints the number in a place, "base READER COUNT" sets what is
 * taken off the event counter of a reader, so that it tells of this history only.
 *
 * The arguments are the names of the first and the second reader.
 */
#include <winscard.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACES 8
#define WORDS 16
#define READERS 2
#define THREADS 16
#define GUARD 16
#define LINE 8192
#define UNTOUCHED 0x5A5A

static SCARDCONTEXT contexts[PLACES];
static SCARDHANDLE cards[PLACES];
static char *readers[READERS];
static unsigned long bases[READERS];

struct thread {
    char name[16];
    FILE *lines;
    int input;
    /* The event state that each reader was last seen with. */
    DWORD seen[READERS + 1];
};

struct answer {
    char text[LINE];
    size_t length;
};

static void add(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof answer->text - answer->length;
    va_start(arguments, format);
    int length = vsnprintf(answer->text + answer->length, room, format, arguments);
    va_end(arguments);
    if (length > 0)
        answer->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* One write, so that the answers of threads do not mix. */
static void say(struct answer *answer)
{
    add(answer, "\n");
    if (write(1, answer->text, answer->length) < 0)
        _exit(1);
}

static const struct word {
    const char *word;
    unsigned long value;
} words[] = {
    {"shared", SCARD_SHARE_SHARED}, {"exclusive", SCARD_SHARE_EXCLUSIVE}, {"direct", SCARD_SHARE_DIRECT},
    {"none", 0}, {"T0", SCARD_PROTOCOL_T0}, {"T1", SCARD_PROTOCOL_T1}, {"any", SCARD_PROTOCOL_ANY},
    {"raw", SCARD_PROTOCOL_RAW}, {"raw+T1", SCARD_PROTOCOL_RAW | SCARD_PROTOCOL_T1}, {"old", 0x1000},
    {"leave", SCARD_LEAVE_CARD}, {"reset", SCARD_RESET_CARD}, {"unpower", SCARD_UNPOWER_CARD},
    {"eject", SCARD_EJECT_CARD}, {"forever", INFINITE},
};

/* A word, or a number in hexadecimal. */
static unsigned long value(const char *text)
{
    for (size_t at = 0; at < sizeof words / sizeof *words; at++)
        if (strcmp(words[at].word, text) == 0)
            return words[at].value;
    return strtoul(text, NULL, 16);
}

static size_t place(const char *text)
{
    size_t at = strtoul(text + 1, NULL, 10);
    return at < PLACES ? at : 0;
}

/* What stands in a place, or #NUMBER. */
static long number(const char *text)
{
    if (text[0] == '#')
        return strtol(text + 1, NULL, 10);
    return text[0] == 'c' ? contexts[place(text)] : cards[place(text)];
}

static const char *reader(const char *word)
{
    static char longest[200];
    if (strcmp(word, "first") == 0)
        return readers[0];
    if (strcmp(word, "second") == 0)
        return readers[1];
    if (strcmp(word, "plug-and-play") == 0)
        return "\\\\?PnP?\\Notification";
    if (strcmp(word, "no-name") == 0)
        return NULL;
    if (strcmp(word, "a-long-name") == 0) {
        memset(longest, 'x', sizeof longest - 1);
        return longest;
    }
    return word;
}

static int reader_index(const char *word)
{
    return strcmp(word, "first") == 0 ? 0 : strcmp(word, "second") == 0 ? 1 : READERS;
}

static const char *reader_word(const char *name)
{
    for (int at = 0; at < READERS; at++)
        if (strcmp(readers[at], name) == 0)
            return at == 0 ? "first" : "second";
    return name;
}

/* A buffer with a guard behind it. */
static unsigned char *buffer(size_t room)
{
    unsigned char *bytes = malloc(room + GUARD);
    if (bytes == NULL)
        _exit(1);
    memset(bytes, 0xA5, room + GUARD);
    return bytes;
}

static void release(struct answer *answer, unsigned char *bytes, size_t room)
{
    for (size_t at = room; at < room + GUARD; at++)
        if (bytes[at] != 0xA5) {
            add(answer, " OVERRUN");
            break;
        }
    free(bytes);
}

/* Short values as they are, long ones by their length and a sum. */
static void add_bytes(struct answer *answer, const unsigned char *bytes, size_t length)
{
    unsigned sum = 0;
    if (length <= 80) {
        for (size_t at = 0; at < length; at++)
            add(answer, "%02X", bytes[at]);
        return;
    }
    for (size_t at = 0; at < length; at++)
        sum = sum * 31 + bytes[at];
    add(answer, "%zu:%08X", length, sum);
}

/* Bytes in hexadecimal; "*N" is N zero bytes. */
static size_t input_bytes(const char *text, unsigned char **bytes)
{
    size_t length = text[0] == '*' ? strtoul(text + 1, NULL, 10) : strlen(text) / 2;
    *bytes = calloc(length + 1, 1);
    if (*bytes == NULL)
        _exit(1);
    if (text[0] != '*')
        for (size_t at = 0; at < length; at++) {
            char pair[3] = {text[2 * at], text[2 * at + 1], 0};
            (*bytes)[at] = (unsigned char)strtoul(pair, NULL, 16);
        }
    return length;
}

static LONG list(struct answer *answer, char **word, LONG (*call)(SCARDCONTEXT, LPSTR, LPDWORD))
{
    size_t room = strtoul(word[1], NULL, 10);
    unsigned char *names = buffer(room);
    DWORD length = room;
    LONG rv = call(number(word[0]), (LPSTR)names, &length);
    add(answer, "%08lX %lu", (unsigned long)rv, length);
    for (char *name = (char *)names; rv == SCARD_S_SUCCESS && *name != 0; name += strlen(name) + 1)
        add(answer, " %s", reader_word(name));
    release(answer, names, room);
    return rv;
}

static LONG list_readers(SCARDCONTEXT context, LPSTR names, LPDWORD length)
{
    return SCardListReaders(context, NULL, names, length);
}

static void transmit(struct answer *answer, char **word)
{
    unsigned char *command, *response;
    size_t length = input_bytes(word[2], &command), room = strtoul(word[3], NULL, 10);
    SCARD_IO_REQUEST pci = {value(word[1]), sizeof pci};
    DWORD received = room;
    response = buffer(room);
    LONG rv = SCardTransmit(number(word[0]), &pci, command, length, NULL, response, &received);
    add(answer, "%08lX", (unsigned long)rv);
    if (rv == SCARD_S_SUCCESS || rv == SCARD_E_INSUFFICIENT_BUFFER)
        add(answer, " %lu ", received);
    if (rv == SCARD_S_SUCCESS)
        add_bytes(answer, response, received);
    release(answer, response, room);
    free(command);
}

static void control(struct answer *answer, char **word)
{
    unsigned char *input, *output;
    size_t length = input_bytes(word[2], &input), room = strtoul(word[3], NULL, 10);
    DWORD returned = 0;
    output = buffer(room);
    LONG rv = SCardControl(number(word[0]), value(word[1]), input, length, output, room, &returned);
    add(answer, "%08lX %lu ", (unsigned long)rv, returned);
    if (rv == SCARD_S_SUCCESS)
        add_bytes(answer, output, returned);
    release(answer, output, room);
    free(input);
}

static void attribute(struct answer *answer, char **word)
{
    size_t room = strtoul(word[2], NULL, 10);
    unsigned char *bytes = buffer(room);
    DWORD length = room;
    LONG rv = SCardGetAttrib(number(word[0]), value(word[1]), bytes, &length);
    add(answer, "%08lX", (unsigned long)rv);
    if (rv == SCARD_S_SUCCESS) {
        add(answer, " ");
        add_bytes(answer, bytes, length);
    }
    release(answer, bytes, room);
}

static void status(struct answer *answer, char **word)
{
    size_t name_room = strtoul(word[1], NULL, 10), atr_room = strtoul(word[2], NULL, 10);
    unsigned char *name = buffer(name_room), *atr = buffer(atr_room);
    DWORD name_length = name_room, atr_length = atr_room, state = 0, protocol = 0;
    LONG rv = SCardStatus(number(word[0]), (LPSTR)name, &name_length, &state, &protocol, atr, &atr_length);
    add(answer, "%08lX", (unsigned long)rv);
    if (rv == SCARD_S_SUCCESS || rv == SCARD_E_INSUFFICIENT_BUFFER)
        add(answer, " %lu %lu", name_length, atr_length);
    if (rv == SCARD_S_SUCCESS) {
        int at = reader_index(reader_word((char *)name));
        unsigned long events = (state >> 16) - (at < READERS ? bases[at] : 0);
        add(answer, " %s %lu+%04lX %lX ", reader_word((char *)name), events & 0xFFFF, state & 0xFFFF, protocol);
        add_bytes(answer, atr, atr_length);
    }
    release(answer, name, name_room);
    release(answer, atr, atr_room);
}

/* READER=STATE: a state in hexadecimal, EVENTS+STATE with events since the beginning, or "last". */
static void change(struct thread *thread, struct answer *answer, char **word, int count)
{
    SCARD_READERSTATE states[WORDS];
    int at[WORDS];
    memset(states, 0, sizeof states);
    for (int i = 0; i < count; i++) {
        char *state = strchr(word[2 + i], '='), *plus;
        *state++ = 0;
        at[i] = reader_index(word[2 + i]);
        states[i].szReader = reader(word[2 + i]);
        states[i].dwEventState = UNTOUCHED;
        if (strcmp(state, "last") == 0)
            states[i].dwCurrentState = thread->seen[at[i]];
        else if ((plus = strchr(state, '+')) != NULL && at[i] < READERS)
            states[i].dwCurrentState =
                ((bases[at[i]] + strtoul(state, NULL, 10)) & 0xFFFF) << 16 | strtoul(plus + 1, NULL, 16);
        else
            states[i].dwCurrentState = strtoul(state, NULL, 16);
    }
    DWORD timeout = strcmp(word[1], "forever") == 0 ? INFINITE : strtoul(word[1], NULL, 10);
    LONG rv = SCardGetStatusChange(number(word[0]), timeout, states, count);
    add(answer, "%08lX", (unsigned long)rv);
    for (int i = 0; i < count && (rv == SCARD_S_SUCCESS || rv == SCARD_E_TIMEOUT); i++) {
        DWORD state = states[i].dwEventState;
        unsigned long events = state >> 16;
        if (state == UNTOUCHED) {
            add(answer, " %s=untouched", word[2 + i]);
            continue;
        }
        if (at[i] < READERS && state & (SCARD_STATE_PRESENT | SCARD_STATE_EMPTY))
            events -= bases[at[i]];
        add(answer, " %s=%lu+%04lX", word[2 + i], events & 0xFFFF, state & 0xFFFF);
        if (state & SCARD_STATE_PRESENT) {
            add(answer, ":");
            add_bytes(answer, states[i].rgbAtr, states[i].cbAtr);
        }
        thread->seen[at[i]] = state;
    }
}

static void perform(struct thread *thread, struct answer *answer, char **word, int count)
{
    const char *call = word[0];
    DWORD protocol = 0;
    LONG rv;

    word++;
    count--;
    if (strcmp(call, "establish") == 0 && count == 2)
        rv = SCardEstablishContext(value(word[1]), NULL, NULL, &contexts[place(word[0])]);
    else if (strcmp(call, "release") == 0 && count == 1)
        rv = SCardReleaseContext(number(word[0]));
    else if (strcmp(call, "valid") == 0 && count == 1)
        rv = SCardIsValidContext(number(word[0]));
    else if (strcmp(call, "cancel") == 0 && count == 1)
        rv = SCardCancel(number(word[0]));
    else if (strcmp(call, "connect") == 0 && count == 5) {
        SCARDHANDLE card = 0;
        rv = SCardConnect(number(word[0]), reader(word[2]), value(word[3]), value(word[4]), &card, &protocol);
        if (rv == SCARD_S_SUCCESS) {
            cards[place(word[1])] = card;
            add(answer, "%08lX %lX", (unsigned long)rv, protocol);
            return;
        }
    } else if (strcmp(call, "reconnect") == 0 && count == 4) {
        rv = SCardReconnect(number(word[0]), value(word[1]), value(word[2]), value(word[3]), &protocol);
        if (rv == SCARD_S_SUCCESS) {
            add(answer, "%08lX %lX", (unsigned long)rv, protocol);
            return;
        }
    } else if (strcmp(call, "disconnect") == 0 && count == 2)
        rv = SCardDisconnect(number(word[0]), value(word[1]));
    else if (strcmp(call, "begin") == 0 && count == 1)
        rv = SCardBeginTransaction(number(word[0]));
    else if (strcmp(call, "end") == 0 && count == 2)
        rv = SCardEndTransaction(number(word[0]), value(word[1]));
    else if (strcmp(call, "set-attribute") == 0 && count == 3) {
        unsigned char *bytes;
        size_t length = input_bytes(word[2], &bytes);
        rv = SCardSetAttrib(number(word[0]), value(word[1]), bytes, length);
        free(bytes);
    } else if (strcmp(call, "readers") == 0 && count == 2) {
        list(answer, word, list_readers);
        return;
    } else if (strcmp(call, "groups") == 0 && count == 2) {
        list(answer, word, SCardListReaderGroups);
        return;
    } else if (strcmp(call, "transmit") == 0 && count == 4) {
        transmit(answer, word);
        return;
    } else if (strcmp(call, "control") == 0 && count == 4) {
        control(answer, word);
        return;
    } else if (strcmp(call, "attribute") == 0 && count == 3) {
        attribute(answer, word);
        return;
    } else if (strcmp(call, "status") == 0 && count == 3) {
        status(answer, word);
        return;
    } else if (strcmp(call, "change") == 0 && count >= 2) {
        change(thread, answer, word, count - 2);
        return;
    } else {
        add(answer, "cannot %s", call);
        return;
    }
    add(answer, "%08lX", (unsigned long)rv);
}

static void *serve(void *argument)
{
    struct thread *thread = argument;
    char line[LINE];
    while (fgets(line, sizeof line, thread->lines) != NULL) {
        struct answer answer = {.length = 0};
        char *word[WORDS] = {NULL}, *rest;
        int count = 0;
        for (char *one = strtok_r(line, " \n", &rest); one != NULL && count < WORDS; one = strtok_r(NULL, " \n", &rest))
            word[count++] = one;
        if (count == 0)
            continue;
        add(&answer, "%s ", thread->name);
        perform(thread, &answer, word, count);
        say(&answer);
    }
    return NULL;
}

static struct thread *thread_named(const char *name)
{
    static struct thread threads[THREADS];
    static size_t count;
    pthread_t id;
    int ends[2];
    for (size_t at = 0; at < count; at++)
        if (strcmp(threads[at].name, name) == 0)
            return &threads[at];
    struct thread *thread = &threads[count++];
    if (count > THREADS || pipe(ends) != 0 || (thread->lines = fdopen(ends[0], "r")) == NULL)
        _exit(1);
    strncpy(thread->name, name, sizeof thread->name - 1);
    thread->input = ends[1];
    if (pthread_create(&id, NULL, serve, thread) != 0)
        _exit(1);
    return thread;
}

/* The file that the library was loaded from. */
static void tell_library(void)
{
    struct answer answer = {.length = 0};
    char line[1024];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, "libpcsclite") != NULL) {
            line[strcspn(line, "\n")] = 0;
            add(&answer, "%s", strchr(line, '/'));
            break;
        }
    say(&answer);
}

int main(int argc, char **argv)
{
    char line[LINE];
    if (argc != 1 + READERS)
        return 2;
    readers[0] = argv[1];
    readers[1] = argv[2];
    tell_library();
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest = strchr(line, ' ');
        if (rest == NULL)
            continue;
        *rest++ = 0;
        if (strcmp(line, "=") == 0) {
            struct answer answer = {.length = 0};
            rest[strcspn(rest, "\n")] = 0;
            add(&answer, "= %ld", number(rest));
            say(&answer);
        } else if (strcmp(line, "base") == 0) {
            char *count = strchr(rest, ' ');
            *count = 0;
            bases[reader_index(rest) % READERS] = strtoul(count + 1, NULL, 10);
        } else if (write(thread_named(line)->input, rest, strlen(rest)) < 0)
            return 1;
    }
    /* Without a word to anybody: what is open stays open until the process is gone. */
    _exit(0);
}
