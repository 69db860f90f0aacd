/*
 * Calls everything with good and bad arguments and prints one line for each call: what was called, the code, what
 * was written where. Run it with two libraries, or against two daemons, and compare the lines.
 *
 * It needs a card in the first reader, takes the second one, if any, for empty, and speaks the commands of vcard.c.
 * Nothing printed depends on time, on handle numbers or on the reader's event counter.
 */
#include <reader.h>
#include <winscard.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNTOUCHED 0x5A5A5A5AUL

static char reader[MAX_READERNAME + 1], empty_reader[MAX_READERNAME + 1];

static void line(LONG rv, const char *what, ...)
{
    va_list arguments;
    va_start(arguments, what);
    printf("%08lX ", (unsigned long)rv);
    vprintf(what, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static SCARDCONTEXT establish(void)
{
    SCARDCONTEXT context = 0;
    LONG rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    if (rv != SCARD_S_SUCCESS) {
        line(rv, "establish");
        exit(1);
    }
    return context;
}

static SCARDHANDLE connect_shared(SCARDCONTEXT context)
{
    SCARDHANDLE card = 0;
    DWORD protocol = 0;
    LONG rv = SCardConnect(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol);
    if (rv != SCARD_S_SUCCESS)
        line(rv, "connect in preparation");
    return card;
}

static void contexts(void)
{
    SCARDCONTEXT context = 0;
    DWORD scope;
    LONG rv;

    line(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, NULL), "establish, no place for it");
    for (scope = 0; scope < 5; scope++) {
        context = 0;
        rv = SCardEstablishContext(scope, NULL, NULL, &context);
        line(rv, "establish scope %lu: positive %d, 31 bits %d", scope, context > 0,
             context <= 0x7FFFFFFF);
        if (rv == SCARD_S_SUCCESS)
            line(SCardReleaseContext(context), "release");
    }
    context = establish();
    line(SCardIsValidContext(context), "valid");
    line(SCardIsValidContext(0), "valid 0");
    line(SCardIsValidContext(-1), "valid -1");
    line(SCardCancel(context), "cancel, nobody waits");
    line(SCardCancel(0), "cancel 0");
    line(SCardFreeMemory(context, NULL), "free nothing");
    line(SCardFreeMemory(0, NULL), "free nothing, context 0");
    line(SCardReleaseContext(context), "release");
    line(SCardReleaseContext(context), "release again");
    line(SCardIsValidContext(context), "valid after release");
    line(SCardCancel(context), "cancel after release");
    line(SCardFreeMemory(context, NULL), "free after release");
    line(SCardReleaseContext(0), "release 0");
}

static void lists(void)
{
    SCARDCONTEXT context = establish();
    char buffer[4096], *allocated = NULL;
    DWORD length, needed = 0;
    LONG rv;

    line(SCardListReaders(context, NULL, NULL, NULL), "list readers, no length");
    rv = SCardListReaders(context, NULL, NULL, &needed);
    line(rv, "list readers, length only: some %d", needed > 2);
    length = needed;
    memset(buffer, 'x', sizeof buffer);
    rv = SCardListReaders(context, NULL, buffer, &length);
    line(rv, "list readers, exact: same %d, two NUL %d, no more %d", length == needed,
         buffer[length - 1] == 0 && buffer[length - 2] == 0, buffer[length] == 'x');
    strncpy(reader, buffer, MAX_READERNAME);
    strncpy(empty_reader, buffer + strlen(buffer) + 1, MAX_READERNAME);
    length = needed - 1;
    memset(buffer, 'x', sizeof buffer);
    rv = SCardListReaders(context, NULL, buffer, &length);
    line(rv, "list readers, one short: needed %d, untouched %d", length == needed, buffer[0] == 'x');
    length = sizeof buffer;
    rv = SCardListReaders(context, "No$Such\0Group\0", buffer, &length);
    line(rv, "list readers of groups: same %d", length == needed);
    length = SCARD_AUTOALLOCATE;
    rv = SCardListReaders(context, NULL, (LPSTR)&allocated, &length);
    line(rv, "list readers, allocated: same %d, text %d", length == needed,
         allocated && !strcmp(allocated, reader));
    line(SCardFreeMemory(context, allocated), "free");
    allocated = NULL;
    length = SCARD_AUTOALLOCATE;
    rv = SCardListReaders(context, NULL, (LPSTR)&allocated, &length);
    line(rv, "list readers, allocated");
    free(allocated);
    length = SCARD_AUTOALLOCATE;
    rv = SCardListReaders(context, NULL, NULL, &length);
    line(rv, "list readers, allocated to nowhere");
    length = UNTOUCHED;
    rv = SCardListReaders(0, NULL, NULL, &length);
    line(rv, "list readers, context 0: untouched %d", length == UNTOUCHED);

    length = UNTOUCHED;
    rv = SCardListReaderGroups(context, NULL, &length);
    line(rv, "list groups, length only %lu", length);
    length = sizeof buffer;
    rv = SCardListReaderGroups(context, buffer, &length);
    line(rv, "list groups %lu %s, end %d", length, buffer, buffer[length - 1] == 0);
    length = 5;
    memset(buffer, 'x', sizeof buffer);
    rv = SCardListReaderGroups(context, buffer, &length);
    line(rv, "list groups, short %lu, untouched %d", length, buffer[0] == 'x');
    length = SCARD_AUTOALLOCATE;
    allocated = NULL;
    rv = SCardListReaderGroups(context, (LPSTR)&allocated, &length);
    line(rv, "list groups, allocated %lu %s", length, allocated ? allocated : "-");
    line(SCardFreeMemory(context, allocated), "free");
    length = SCARD_AUTOALLOCATE;
    rv = SCardListReaderGroups(context, NULL, &length);
    line(rv, "list groups, allocated to nowhere");
    length = UNTOUCHED;
    rv = SCardListReaderGroups(0, NULL, &length);
    line(rv, "list groups, context 0: length %lX", length);
    SCardReleaseContext(context);
}

static void connecting(void)
{
    SCARDCONTEXT context = establish();
    static const DWORD protocols[] = {0, 1, 2, 3, 4, 8, 0x1000, 7, 0xFFFF};
    SCARDHANDLE card = UNTOUCHED, other = UNTOUCHED;
    DWORD protocol = UNTOUCHED, share;
    char long_name[200];
    size_t i;
    LONG rv;

    line(SCardConnect(context, reader, SCARD_SHARE_SHARED, 3, NULL, &protocol), "connect, no handle");
    line(SCardConnect(context, reader, SCARD_SHARE_SHARED, 3, &card, NULL), "connect, no protocol");
    rv = SCardConnect(context, NULL, SCARD_SHARE_SHARED, 3, &card, &protocol);
    line(rv, "connect, no name: handle %lX protocol %lX", card, protocol);
    card = UNTOUCHED;
    rv = SCardConnect(0, reader, SCARD_SHARE_SHARED, 3, &card, &protocol);
    line(rv, "connect, context 0: handle %lX protocol %lX", card, protocol);
    for (i = 126; i < 131; i++) {
        memset(long_name, 'n', sizeof long_name);
        long_name[i] = 0;
        rv = SCardConnect(context, long_name, SCARD_SHARE_SHARED, 3, &card, &protocol);
        line(rv, "connect, name of %u", (unsigned)i);
    }
    line(SCardConnect(context, "", SCARD_SHARE_SHARED, 3, &card, &protocol), "connect, empty name");
    line(SCardConnect(context, "no such reader", SCARD_SHARE_SHARED, 3, &card, &protocol),
         "connect, unknown name");
    line(SCardConnect(context, "no such \xFF", SCARD_SHARE_SHARED, 3, &card, &protocol),
         "connect, name that is no UTF-8");
    line(SCardConnect(context, "no such reader", SCARD_SHARE_SHARED, 0, &card, &protocol),
         "connect, unknown name, no protocol");
    line(SCardConnect(context, "no such reader", 7, 3, &card, &protocol),
         "connect, unknown name, share 7");
    line(SCardConnect(context, "no such reader", 7, 0, &card, &protocol),
         "connect, unknown name, share 7, no protocol");
    line(SCardConnect(context, "no such reader", SCARD_SHARE_DIRECT, 0, &card, &protocol),
         "connect, unknown name, direct");
    for (share = 0; share < 6; share++) {
        for (i = 0; i < sizeof protocols / sizeof *protocols; i++) {
            card = UNTOUCHED;
            protocol = UNTOUCHED;
            rv = SCardConnect(context, reader, share, protocols[i], &card, &protocol);
            line(rv, "connect share %lu protocols %lX: protocol %lX, handle %s", share, protocols[i],
                 protocol, card == 0 ? "0" : card == (SCARDHANDLE)UNTOUCHED ? "untouched" : "set");
            if (rv == SCARD_S_SUCCESS)
                line(SCardDisconnect(card, SCARD_UNPOWER_CARD), "disconnect");
        }
    }

    card = connect_shared(context);
    rv = SCardConnect(context, reader, SCARD_SHARE_EXCLUSIVE, 3, &other, &protocol);
    line(rv, "exclusive beside shared");
    rv = SCardConnect(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0, &other, &protocol);
    line(rv, "shared with another protocol");
    rv = SCardConnect(context, reader, SCARD_SHARE_DIRECT, 0, &other, &protocol);
    line(rv, "direct beside shared, protocol %lX", protocol);
    line(SCardDisconnect(other, SCARD_LEAVE_CARD), "disconnect");
    for (share = 0; share < 6; share++)
        line(SCardDisconnect(0, share), "disconnect 0, disposition %lu", share);
    line(SCardDisconnect(card, 4), "disconnect, disposition 4");
    line(SCardDisconnect(card, SCARD_LEAVE_CARD), "disconnect");
    line(SCardDisconnect(card, SCARD_LEAVE_CARD), "disconnect again");

    rv = SCardConnect(context, reader, SCARD_SHARE_EXCLUSIVE, 3, &card, &protocol);
    line(rv, "exclusive");
    line(SCardConnect(context, reader, SCARD_SHARE_SHARED, 3, &other, &protocol), "shared beside exclusive");
    line(SCardConnect(context, reader, SCARD_SHARE_DIRECT, 3, &other, &protocol), "direct beside exclusive");
    line(SCardEndTransaction(card, SCARD_LEAVE_CARD), "end of the implicit transaction");
    line(SCardBeginTransaction(card), "begin on exclusive");
    line(SCardEndTransaction(card, SCARD_LEAVE_CARD), "end on exclusive");
    line(SCardReleaseContext(context), "release with an open handle");
    line(SCardDisconnect(card, SCARD_LEAVE_CARD), "disconnect after release");
    line(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), "status after release");
}

static void reconnecting(void)
{
    SCARDCONTEXT context = establish();
    static const DWORD protocols[] = {0, 1, 2, 3, 4, 8, 0x1000};
    SCARDHANDLE card = connect_shared(context), other;
    DWORD protocol, how, share;
    size_t i;
    LONG rv;

    line(SCardReconnect(card, SCARD_SHARE_SHARED, 3, SCARD_LEAVE_CARD, NULL), "reconnect, no protocol");
    line(SCardReconnect(0, SCARD_SHARE_SHARED, 3, SCARD_LEAVE_CARD, &protocol), "reconnect 0");
    line(SCardReconnect(0, SCARD_SHARE_SHARED, 3, SCARD_LEAVE_CARD, NULL), "reconnect 0, no protocol");
    for (how = 0; how < 5; how++) {
        protocol = UNTOUCHED;
        rv = SCardReconnect(card, SCARD_SHARE_SHARED, 3, how, &protocol);
        line(rv, "reconnect, initialization %lu: protocol %lX", how, protocol);
    }
    line(SCardReconnect(card, 7, 0, 9, &protocol), "reconnect, all wrong");
    line(SCardReconnect(card, 7, 3, 9, &protocol), "reconnect, share and initialization wrong");
    line(SCardReconnect(card, 2, 0, 9, &protocol), "reconnect, protocols and initialization wrong");
    line(SCardReconnect(card, 7, 0, 0, &protocol), "reconnect, share and protocols wrong");
    line(SCardDisconnect(card, SCARD_UNPOWER_CARD), "disconnect");
    for (share = 0; share < 5; share++) {
        for (i = 0; i < sizeof protocols / sizeof *protocols; i++) {
            card = connect_shared(context);
            protocol = UNTOUCHED;
            rv = SCardReconnect(card, share, protocols[i], SCARD_LEAVE_CARD, &protocol);
            line(rv, "reconnect share %lu protocols %lX: protocol %lX", share, protocols[i], protocol);
            rv = SCardDisconnect(card, SCARD_UNPOWER_CARD);
            if (rv != SCARD_S_SUCCESS)
                line(rv, "disconnect");
        }
    }
    card = connect_shared(context);
    other = connect_shared(context);
    line(SCardReconnect(card, SCARD_SHARE_EXCLUSIVE, 3, SCARD_LEAVE_CARD, &protocol),
         "reconnect exclusive beside another");
    line(SCardReconnect(other, SCARD_SHARE_SHARED, 3, SCARD_RESET_CARD, &protocol), "reset by the other");
    line(SCardStatus(other, NULL, NULL, NULL, NULL, NULL, NULL), "status of the one who reset");
    line(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), "status of the other");
    line(SCardBeginTransaction(card), "begin with a mark");
    line(SCardEndTransaction(card, SCARD_LEAVE_CARD), "end with a mark");
    protocol = UNTOUCHED;
    rv = SCardReconnect(card, SCARD_SHARE_SHARED, 3, SCARD_LEAVE_CARD, &protocol);
    line(rv, "reconnect clears the mark, protocol %lX", protocol);
    line(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), "status");
    line(SCardDisconnect(other, SCARD_RESET_CARD), "disconnect with reset");
    line(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), "status");
    line(SCardDisconnect(card, SCARD_LEAVE_CARD), "disconnect");
    SCardReleaseContext(context);
}

static void transactions(void)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context), other = connect_shared(context);
    DWORD how, protocol;

    line(SCardBeginTransaction(0), "begin 0");
    line(SCardEndTransaction(0, 0), "end 0");
    line(SCardEndTransaction(0, 9), "end 0, disposition 9");
    line(SCardEndTransaction(card, SCARD_LEAVE_CARD), "end without begin");
    line(SCardEndTransaction(card, 9), "end without begin, disposition 9");
    line(SCardBeginTransaction(card), "begin");
    line(SCardBeginTransaction(card), "begin, second level");
    line(SCardEndTransaction(other, SCARD_LEAVE_CARD), "end by somebody else");
    line(SCardEndTransaction(card, 9), "end, disposition 9");
    line(SCardEndTransaction(card, SCARD_LEAVE_CARD), "end, second level");
    line(SCardEndTransaction(card, SCARD_LEAVE_CARD), "end");
    line(SCardEndTransaction(card, SCARD_LEAVE_CARD), "end once more");
    for (how = 1; how < 4; how++) {
        line(SCardBeginTransaction(card), "begin");
        line(SCardEndTransaction(card, how), "end, disposition %lu", how);
        line(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), "status of the one who ended");
        line(SCardStatus(other, NULL, NULL, NULL, NULL, NULL, NULL), "status of the other");
        line(SCardReconnect(card, SCARD_SHARE_SHARED, 3, SCARD_LEAVE_CARD, &protocol), "reconnect");
        line(SCardReconnect(other, SCARD_SHARE_SHARED, 3, SCARD_LEAVE_CARD, &protocol), "reconnect");
    }
    line(SCardBeginTransaction(card), "begin");
    line(SCardDisconnect(card, SCARD_LEAVE_CARD), "disconnect inside");
    line(SCardBeginTransaction(other), "begin by the other");
    SCardReleaseContext(context);
}

static void status(void)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context);
    char name[300], *allocated_name = NULL;
    BYTE atr[64], *allocated_atr = NULL;
    DWORD name_length, atr_length, state, protocol;
    LONG rv;

    line(SCardStatus(0, NULL, NULL, NULL, NULL, NULL, NULL), "status 0");
    name_length = atr_length = state = protocol = UNTOUCHED;
    rv = SCardStatus(0, name, &name_length, &state, &protocol, atr, &atr_length);
    line(rv, "status 0: %lX %lX %lX %lX", name_length, state, protocol, atr_length);
    line(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), "status, nothing wanted");
    name_length = sizeof name;
    atr_length = sizeof atr;
    rv = SCardStatus(card, name, &name_length, &state, &protocol, atr, &atr_length);
    line(rv, "status: name %d, length %d, state %lX, protocol %lX, atr %lu %02X%02X", !strcmp(name, reader),
         name_length == strlen(reader) + 1, state & 0xFFFF, protocol, atr_length, atr[0], atr[1]);
    name_length = atr_length = UNTOUCHED;
    rv = SCardStatus(card, NULL, &name_length, NULL, NULL, NULL, &atr_length);
    line(rv, "status, lengths only: %d %lu", name_length == strlen(reader) + 1, atr_length);
    name_length = strlen(reader);
    atr_length = 2;
    state = protocol = UNTOUCHED;
    rv = SCardStatus(card, name, &name_length, &state, &protocol, atr, &atr_length);
    line(rv, "status, short buffers: %d, state %lX, protocol %lX, atr %lu",
         name_length == strlen(reader) + 1, state & 0xFFFF, protocol, atr_length);
    name_length = strlen(reader) + 1;
    atr_length = 2;
    rv = SCardStatus(card, name, &name_length, NULL, NULL, atr, &atr_length);
    line(rv, "status, short atr: %d", name_length == strlen(reader) + 1);
    line(SCardStatus(card, name, NULL, NULL, NULL, NULL, NULL), "status, name without length");
    line(SCardStatus(card, NULL, NULL, NULL, NULL, atr, NULL), "status, atr without length");
    name_length = SCARD_AUTOALLOCATE;
    atr_length = SCARD_AUTOALLOCATE;
    rv = SCardStatus(card, (LPSTR)&allocated_name, &name_length, NULL, NULL, (LPBYTE)&allocated_atr,
                     &atr_length);
    line(rv, "status, allocated: name %d %d, atr %lu %02X", allocated_name && !strcmp(allocated_name, reader),
         name_length == strlen(reader) + 1, atr_length, allocated_atr ? allocated_atr[0] : 0);
    line(SCardFreeMemory(context, allocated_name), "free");
    free(allocated_atr);
    name_length = SCARD_AUTOALLOCATE;
    line(SCardStatus(card, NULL, &name_length, NULL, NULL, NULL, NULL), "status, name allocated to nowhere");
    atr_length = SCARD_AUTOALLOCATE;
    line(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, &atr_length), "status, atr allocated to nowhere");
    SCardReleaseContext(context);
}

static void transmit(void)
{
    static const BYTE ten[] = {0x80, 0x84, 0, 0, 8}, full[] = {0x80, 0x84, 0, 0, 0};
    static BYTE huge[70000], received[70000];
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context);
    SCARD_IO_REQUEST pci = {SCARD_PROTOCOL_T1, sizeof pci}, answer = {UNTOUCHED, UNTOUCHED};
    static const DWORD protocols[] = {0, 1, 2, 3, 4, 8, 0x1000};
    static const DWORD lengths[] = {0, 1, 2, 9, 10, 11, 258, 65548, 65549, 1000000, 0xFFFFFFFF, (DWORD)-1};
    DWORD length;
    size_t i;
    LONG rv;

    length = sizeof received;
    rv = SCardTransmit(card, NULL, ten, 5, NULL, received, &length);
    line(rv, "transmit, no pci: %lu", length);
    rv = SCardTransmit(card, &pci, NULL, 5, NULL, received, &length);
    line(rv, "transmit, no command: %lu", length);
    rv = SCardTransmit(card, &pci, ten, 5, NULL, NULL, &length);
    line(rv, "transmit, no buffer: %lu", length);
    line(SCardTransmit(card, &pci, ten, 5, NULL, received, NULL), "transmit, no length");
    length = sizeof received;
    rv = SCardTransmit(0, &pci, ten, 5, NULL, received, &length);
    line(rv, "transmit 0: %lu", length);
    rv = SCardTransmit(0, NULL, ten, 5, NULL, received, &length);
    line(rv, "transmit 0, no pci: %lu", length);
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        length = lengths[i];
        memset(received, 0xEE, sizeof received);
        rv = SCardTransmit(card, &pci, ten, 5, NULL, received, &length);
        line(rv, "transmit, room %lX: %lu, %02X", lengths[i], length, received[0]);
    }
    length = sizeof received;
    rv = SCardTransmit(card, &pci, full, 5, &answer, received, &length);
    line(rv, "transmit, 256 bytes: %lu, pci length %lu", length, answer.cbPciLength);
    for (i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        pci.dwProtocol = protocols[i];
        length = sizeof received;
        rv = SCardTransmit(card, &pci, ten, 5, NULL, received, &length);
        line(rv, "transmit, pci %lX: %lu", protocols[i], length);
    }
    pci.dwProtocol = SCARD_PROTOCOL_T1;
    pci.cbPciLength = 0;
    length = sizeof received;
    rv = SCardTransmit(card, &pci, ten, 5, NULL, received, &length);
    line(rv, "transmit, pci length 0: %lu", length);
    length = sizeof received;
    rv = SCardTransmit(card, SCARD_PCI_T0, ten, 5, NULL, received, &length);
    line(rv, "transmit, T=0: %lu", length);
    length = sizeof received;
    rv = SCardTransmit(card, SCARD_PCI_T1, ten, 5, NULL, received, &length);
    line(rv, "transmit, T=1: %lu", length);
    length = sizeof received;
    rv = SCardTransmit(card, SCARD_PCI_RAW, ten, 5, NULL, received, &length);
    line(rv, "transmit, raw: %lu", length);
    memset(huge, 0x11, sizeof huge);
    memcpy(huge, "\x80\xCA\0\0\xFF", 5);
    length = sizeof received;
    rv = SCardTransmit(card, &pci, huge, 260, NULL, received, &length);
    line(rv, "transmit, 260 bytes: %lu", length);
    length = sizeof received;
    rv = SCardTransmit(card, &pci, huge, 65549, NULL, received, &length);
    line(rv, "transmit, 65549 bytes: %lu", length);
    length = sizeof received;
    rv = SCardTransmit(card, &pci, huge, (DWORD)-1, NULL, received, &length);
    line(rv, "transmit, endless: %lu", length);
    length = sizeof received;
    rv = SCardTransmit(0, &pci, huge, 65549, NULL, received, &length);
    line(rv, "transmit 0, 65549 bytes: %lu", length);
    SCardReleaseContext(context);
}

static void transmit_refused(void)
{
    LONG rv;
    static const BYTE ten[] = {0x80, 0x84, 0, 0, 8};
    BYTE received[16];
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context), other = connect_shared(context);
    SCARD_IO_REQUEST odd = {3, sizeof odd};
    DWORD length, protocol;

    line(SCardReconnect(other, SCARD_SHARE_SHARED, 3, SCARD_RESET_CARD, &protocol), "reset by the other");
    length = sizeof received;
    rv = SCardTransmit(card, SCARD_PCI_T1, ten, 5, NULL, received, &length);
    line(rv, "transmit with a mark: %lu", length);
    length = sizeof received;
    rv = SCardTransmit(card, &odd, ten, 5, NULL, received, &length);
    line(rv, "transmit with a mark, odd pci: %lu", length);
    length = 1;
    rv = SCardTransmit(card, SCARD_PCI_T1, ten, 5, NULL, received, &length);
    line(rv, "transmit with a mark, no room: %lu", length);
    length = sizeof received;
    line(SCardGetAttrib(card, SCARD_ATTR_ICC_PRESENCE, received, &length), "attribute with a mark");
    SCardReleaseContext(context);
}

static void control(void)
{
    LONG rv;
    static BYTE big[70000];
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context);
    BYTE buffer[300];
    DWORD returned = UNTOUCHED;

    rv = SCardControl(0, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, buffer, sizeof buffer, &returned);
    line(rv, "control 0: %lX", returned);
    returned = UNTOUCHED;
    rv = SCardControl(card, 0x42001234, NULL, 0, buffer, sizeof buffer, &returned);
    line(rv, "control, unknown: %lX", returned);
    line(SCardControl(card, 0x42001234, NULL, 0, buffer, sizeof buffer, NULL), "control, no length");
    rv = SCardControl(card, 0x42001234, NULL, 0, NULL, 0, &returned);
    line(rv, "control, no buffer: %lX", returned);
    line(SCardControl(card, 0x42001234, NULL, 0, NULL, 0, NULL), "control, nothing");
    returned = UNTOUCHED;
    rv = SCardControl(card, 0x42001234, big, 65549, buffer, sizeof buffer, &returned);
    line(rv, "control, 65549 bytes: %lX", returned);
    returned = UNTOUCHED;
    rv = SCardControl(card, 0x42001234, NULL, 0, big, 65549, &returned);
    line(rv, "control, room 65549: %lX", returned);
    returned = UNTOUCHED;
    rv = SCardControl(0, 0x42001234, big, 65549, buffer, sizeof buffer, &returned);
    line(rv, "control 0, 65549 bytes: %lX", returned);
    SCardReleaseContext(context);
}

static void attributes(void)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context);
    BYTE buffer[1024] = {0}, *allocated = NULL;
    DWORD length;
    LONG rv;

    line(SCardGetAttrib(card, SCARD_ATTR_VENDOR_NAME, buffer, NULL), "attribute, no length");
    length = sizeof buffer;
    rv = SCardGetAttrib(0, SCARD_ATTR_VENDOR_NAME, buffer, &length);
    line(rv, "attribute of 0: %lu", length);
    length = 264;
    line(SCardGetAttrib(card, 0x12345678, buffer, &length), "attribute, unknown");
    length = UNTOUCHED;
    line(SCardGetAttrib(card, 0x12345678, NULL, &length), "attribute, unknown, length only");
    length = 264;
    rv = SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, buffer, &length);
    line(rv, "attribute atr: %lu %02X", length, rv == SCARD_S_SUCCESS ? buffer[0] : 0);
    length = UNTOUCHED;
    rv = SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, NULL, &length);
    line(rv, "attribute atr, length only: %lu", length);
    length = 3;
    rv = SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, buffer, &length);
    line(rv, "attribute atr, short: %lu", length);
    length = sizeof buffer;
    rv = SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, buffer, &length);
    line(rv, "attribute atr, room 1024: %lu", length);
    length = SCARD_AUTOALLOCATE;
    rv = SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, (LPBYTE)&allocated, &length);
    line(rv, "attribute atr, allocated: %lu %d", length, allocated != NULL);
    if (rv == SCARD_S_SUCCESS)
        line(SCardFreeMemory(context, allocated), "free");
    length = SCARD_AUTOALLOCATE;
    line(SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, NULL, &length), "attribute, allocated to nowhere");
    length = 264;
    rv = SCardGetAttrib(card, SCARD_ATTR_DEVICE_FRIENDLY_NAME_A, buffer, &length);
    line(rv, "attribute name: %lu", length);

    line(SCardSetAttrib(card, SCARD_ATTR_VENDOR_NAME, NULL, 4), "set attribute, no value");
    line(SCardSetAttrib(card, SCARD_ATTR_VENDOR_NAME, buffer, 0), "set attribute, no length");
    line(SCardSetAttrib(0, SCARD_ATTR_VENDOR_NAME, buffer, 0), "set attribute of 0, no length");
    line(SCardSetAttrib(0, SCARD_ATTR_VENDOR_NAME, buffer, 4), "set attribute of 0");
    line(SCardSetAttrib(card, SCARD_ATTR_VENDOR_NAME, buffer, 265), "set attribute, 265 bytes");
    line(SCardSetAttrib(card, SCARD_ATTR_SUPRESS_T1_IFS_REQUEST, buffer, 4), "set attribute");
    SCardReleaseContext(context);
}

static LONG wait_for(SCARDCONTEXT context, DWORD timeout, const char *name, DWORD known, const char *what)
{
    SCARD_READERSTATE state;
    LONG rv;
    memset(&state, 0, sizeof state);
    state.szReader = name;
    state.dwCurrentState = known;
    state.dwEventState = UNTOUCHED;
    state.cbAtr = 77;
    rv = SCardGetStatusChange(context, timeout, &state, 1);
    line(rv, "%s: event %lX, counter %s, current %d, atr %lu %02X", what, state.dwEventState & 0xFFFF,
         state.dwEventState == UNTOUCHED ? "-" : state.dwEventState >> 16 ? "set" : "0",
         state.dwCurrentState == known, state.cbAtr, state.rgbAtr[0]);
    return (LONG)state.dwEventState;
}

static void status_change(void)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card;
    SCARD_READERSTATE states[3];
    DWORD protocol, bit, counter;
    LONG rv;

    line(SCardGetStatusChange(context, 0, NULL, 1), "wait, no array");
    line(SCardGetStatusChange(context, INFINITE, NULL, 0), "wait for nothing");
    line(SCardGetStatusChange(0, INFINITE, NULL, 0), "wait for nothing, context 0");
    line(SCardGetStatusChange(0, 0, NULL, 1), "wait, no array, context 0");
    wait_for(context, 0, NULL, 0, "wait, no name");
    wait_for(0, 0, NULL, 0, "wait, no name, context 0");
    wait_for(context, INFINITE, NULL, SCARD_STATE_IGNORE, "wait, no name, ignored");
    wait_for(context, INFINITE, reader, SCARD_STATE_IGNORE, "wait, ignored");
    wait_for(0, INFINITE, reader, SCARD_STATE_IGNORE, "wait, ignored, context 0");
    wait_for(context, INFINITE, "no such reader", SCARD_STATE_IGNORE, "wait, ignored, unknown name");
    wait_for(0, 0, reader, 0, "wait, context 0");
    wait_for(context, 0, "no such reader", 0, "wait, unknown name");
    wait_for(context, 0, "no such reader", SCARD_STATE_UNKNOWN, "wait, unknown name, known to be");
    wait_for(context, 0, "", 0, "wait, empty name");
    counter = (DWORD)wait_for(context, INFINITE, reader, 0, "wait, unaware") & 0xFFFF0000;
    wait_for(context, (DWORD)-1, reader, 0, "wait, unaware, -1");
    for (bit = 2; bit < 0x1000; bit <<= 1) {
        char what[64];
        snprintf(what, sizeof what, "wait, card, known %lX", bit);
        wait_for(context, 0, reader, bit, what);
    }
    wait_for(context, 0, reader, counter | SCARD_STATE_PRESENT, "wait, counter known");
    wait_for(context, 0, reader, counter, "wait, only the counter known");
    wait_for(context, 0, reader, (counter + 0x10000) | SCARD_STATE_PRESENT, "wait, other counter");
    wait_for(context, 5, reader, SCARD_STATE_PRESENT, "wait, 5 ms");

    memset(states, 0, sizeof states);
    states[0].szReader = reader;
    states[0].dwCurrentState = SCARD_STATE_PRESENT;
    states[1].szReader = "no such reader";
    states[1].dwCurrentState = SCARD_STATE_IGNORE;
    states[1].dwEventState = UNTOUCHED;
    states[2].szReader = reader;
    rv = SCardGetStatusChange(context, 0, states, 3);
    line(rv, "wait for three: %lX %lX %lX", states[0].dwEventState & 0xFFFF, states[1].dwEventState & 0xFFFF,
         states[2].dwEventState & 0xFFFF);
    states[0].dwEventState = states[2].dwEventState = UNTOUCHED;
    states[2].szReader = "no such reader";
    rv = SCardGetStatusChange(context, 0, states, 3);
    line(rv, "wait for three, the last unknown: %lX %lX", states[0].dwEventState & 0xFFFF,
         states[2].dwEventState & 0xFFFF);
    states[2].szReader = NULL;
    rv = SCardGetStatusChange(context, 0, states, 3);
    line(rv, "wait for three, the last without name");

    if (empty_reader[0] != 0) {
        wait_for(context, 0, empty_reader, 0, "wait, no card, unaware");
        for (bit = 2; bit < 0x1000; bit <<= 1) {
            char what[64];
            snprintf(what, sizeof what, "wait, no card, known %lX", bit);
            wait_for(context, 0, empty_reader, bit, what);
        }
        wait_for(context, 0, empty_reader, SCARD_STATE_EMPTY | 0x10000, "wait, no card, a counter");
        states[0].dwCurrentState = SCARD_STATE_IGNORE;
        states[0].dwEventState = UNTOUCHED;
        states[0].cbAtr = 77;
        states[2].szReader = empty_reader;
        states[2].dwCurrentState = 0;
        states[1] = states[2];
        rv = SCardGetStatusChange(context, 0, states, 3);
        line(rv, "wait, one ignored: %lX %lu", states[0].dwEventState, states[0].cbAtr);
    }

    wait_for(context, 0, "\\\\?PnP?\\Notification", 0, "wait for readers");
    wait_for(context, 0, "\\\\?pnp?\\notification", 0, "wait for readers, small letters");
    wait_for(context, 1, "\\\\?PnP?\\Notification", SCARD_STATE_UNKNOWN, "wait for readers, unknown");
    wait_for(context, 0, "\\\\?PnP?\\Notification", SCARD_STATE_IGNORE, "wait for readers, ignored");

    card = connect_shared(context);
    for (bit = 2; bit < 0x1000; bit <<= 1) {
        char what[64];
        snprintf(what, sizeof what, "wait, shared card, known %lX", bit);
        wait_for(context, 0, reader, bit, what);
    }
    SCardDisconnect(card, SCARD_LEAVE_CARD);
    rv = SCardConnect(context, reader, SCARD_SHARE_EXCLUSIVE, 3, &card, &protocol);
    for (bit = 2; bit < 0x1000; bit <<= 1) {
        char what[64];
        snprintf(what, sizeof what, "wait, exclusive card, known %lX", bit);
        wait_for(context, 0, reader, bit, what);
    }
    SCardReleaseContext(context);
}

static void texts(void)
{
    unsigned long low;
    for (low = 0; low < 0x80; low++)
        line((LONG)(0x80100000 + low), "%s", pcsc_stringify_error((LONG)(0x80100000 + low)));
    line(0, "%s", pcsc_stringify_error(0));
    line(1, "%s", pcsc_stringify_error(1));
    line(-1, "%s", pcsc_stringify_error(-1));
}

int main(void)
{
    contexts();
    lists();
    connecting();
    reconnecting();
    transactions();
    status();
    transmit();
    transmit_refused();
    control();
    attributes();
    status_change();
    texts();
    return 0;
}
