/* Card handles: connect, transactions, status, exchange, control, attributes (4.3). */
#include "check.h"

static SCARDHANDLE card;
/* No protocol of Windows. */
static const SCARD_IO_REQUEST pcsclite_raw = {4, 8};

static LONG status_a(char *names, DWORD *length)
{
    return length ? SCardStatusA(card, names, length, NULL, NULL, NULL, NULL) : SCARD_E_INVALID_PARAMETER;
}

static LONG status_w(WCHAR *names, DWORD *length)
{
    return length ? SCardStatusW(card, names, length, NULL, NULL, NULL, NULL) : SCARD_E_INVALID_PARAMETER;
}

static LONG status_atr(BYTE *atr, DWORD *length)
{
    return length ? SCardStatusW(card, NULL, NULL, NULL, NULL, atr, length) : SCARD_E_INVALID_PARAMETER;
}

static LONG state_atr(BYTE *atr, DWORD *length)
{
    return length ? SCardState(card, NULL, NULL, atr, length) : SCARD_E_INVALID_PARAMETER;
}

static LONG attribute(BYTE *value, DWORD *length)
{
    return SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, value, length);
}

int main(void)
{
    SCARDCONTEXT context = establish(SCARD_SCOPE_USER);
    SCARDHANDLE other = 0;
    const char *reader = first_reader(context);
    WCHAR wide[256];
    BYTE answer[300], number[4];
    DWORD length, protocol = 7, state = 7, count, before;
    SCARD_IO_REQUEST told = {0};

    EXPECT(SCardConnectA(0, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_Tx, &card, &protocol), SCARD_E_INVALID_HANDLE);
    EXPECT(SCardConnectA(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_Tx, NULL, &protocol),
           SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardConnectA(context, "nobody's", SCARD_SHARE_SHARED, SCARD_PROTOCOL_Tx, &card, &protocol),
           SCARD_E_UNKNOWN_READER);
    EXPECT(SCardConnectA(context, reader, 4, SCARD_PROTOCOL_Tx, &card, &protocol), SCARD_E_INVALID_VALUE);
    EXPECT(SCardConnectA(context, reader, SCARD_SHARE_SHARED, 0, &card, &protocol), SCARD_E_PROTO_MISMATCH);
    CHECK(card == 0 && protocol == 0);

    length = 256;
    OK(SCardListReadersW(context, NULL, wide, &length));
    OK(SCardConnectW(context, wide, SCARD_SHARE_SHARED, SCARD_PROTOCOL_DEFAULT, &card, &protocol));
    CHECK(card != 0 && (protocol == SCARD_PROTOCOL_T0 || protocol == SCARD_PROTOCOL_T1));

    ALL_SIZES(char, status_a);
    ALL_SIZES(WCHAR, status_w);
    ALL_SIZES(BYTE, status_atr);
    ALL_SIZES(BYTE, state_atr);
    ALL_SIZES(BYTE, attribute);
    length = 256;
    OK(SCardStatusW(card, wide, &length, &state, &protocol, NULL, NULL));
    CHECK(length == units(wide) + 2);
    CHECK(state == SCARD_SPECIFIC || state == SCARD_NEGOTIABLE);
    OK(SCardStatusA(card, NULL, NULL, NULL, NULL, NULL, NULL));

    /* Exchange. */
    OK(SCardGetTransmitCount(card, &before));
    length = sizeof answer;
    OK(SCardTransmit(card, protocol == SCARD_PROTOCOL_T1 ? SCARD_PCI_T1 : SCARD_PCI_T0, select_piv, sizeof select_piv,
                     &told, answer, &length));
    CHECK(length >= 2 && told.dwProtocol == protocol && told.cbPciLength == 8);
    length = sizeof answer;
    OK(SCardTransmit(card, NULL, select_piv, sizeof select_piv, NULL, answer, &length));
    CHECK(answer[length - 2] == 0x90);
    OK(SCardGetTransmitCount(card, &count));
    CHECK(count == before + 2);
    EXPECT(SCardGetTransmitCount(card, NULL), SCARD_E_INVALID_PARAMETER);
    count = length;
    for (length = 2; length < count; length++) {
        DWORD room = length;
        EXPECT(SCardTransmit(card, NULL, select_piv, sizeof select_piv, NULL, answer, &room),
               SCARD_E_INSUFFICIENT_BUFFER);
    }
    length = SCARD_AUTOALLOCATE;
    EXPECT(SCardTransmit(card, NULL, select_piv, sizeof select_piv, NULL, answer, &length), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardTransmit(card, NULL, NULL, 5, NULL, answer, &length), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardTransmit(card, NULL, select_piv, sizeof select_piv, NULL, answer, NULL), SCARD_E_INVALID_PARAMETER);
    EXPECT(SCardTransmit(12345, NULL, select_piv, sizeof select_piv, NULL, answer, &count), SCARD_E_INVALID_HANDLE);
    count = sizeof answer;
    EXPECT(SCardTransmit(card, &pcsclite_raw, select_piv, sizeof select_piv, NULL, answer, &count),
           SCARD_E_PROTO_MISMATCH);

    /* Transactions. */
    EXPECT(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_E_NOT_TRANSACTED);
    EXPECT(SCardCancelTransaction(card), SCARD_E_NOT_TRANSACTED);
    OK(SCardBeginTransaction(card));
    EXPECT(SCardEndTransaction(card, 4), SCARD_E_INVALID_VALUE);
    OK(SCardEndTransaction(card, SCARD_LEAVE_CARD));
    OK(SCardBeginTransaction(card));
    OK(SCardCancelTransaction(card));

    /* Control: both encodings of the code, each answered in its own. */
    OK(SCardControl(card, SCARD_CTL_CODE(3400), NULL, 0, answer, sizeof answer, &length));
    CHECK(length == 6 && answer[1] == 4 && answer[2] == 0x00 && answer[3] == 0x31);
    OK(SCardControl(card, 0x42000000 + 3400, NULL, 0, answer, sizeof answer, &length));
    CHECK(length == 6 && answer[2] == 0x42);
    EXPECT(SCardControl(card, SCARD_CTL_CODE(3400), NULL, 0, answer, 5, &length), SCARD_E_INSUFFICIENT_BUFFER);
    EXPECT(SCardControl(card, SCARD_CTL_CODE(3400), NULL, 0, NULL, 6, &length), SCARD_E_INVALID_PARAMETER);
    CHECK(SCardControl(card, SCARD_CTL_CODE(4000), NULL, 0, answer, sizeof answer, &length) != SCARD_S_SUCCESS);

    /* Attributes. */
    length = sizeof answer;
    OK(SCardGetAttrib(card, SCARD_ATTR_DEVICE_FRIENDLY_NAME_W, answer, &length));
    CHECK(length == (units(wide) + 1) * 2 && memcmp(answer, wide, length) == 0);
    length = sizeof answer;
    OK(SCardGetAttrib(card, SCARD_ATTR_DEVICE_FRIENDLY_NAME_A, answer, &length));
    CHECK(strcmp((char *)answer, reader) == 0);
    length = sizeof number;
    OK(SCardGetAttrib(card, SCARD_ATTR_CURRENT_PROTOCOL_TYPE, number, &length));
    CHECK(memcmp(number, &protocol, 4) == 0);
    length = sizeof answer;
    EXPECT(SCardGetAttrib(card, SCARD_ATTR_VALUE(7, 0x1234), answer, &length), ERROR_NOT_SUPPORTED);
    EXPECT(SCardSetAttrib(card, SCARD_ATTR_VALUE(7, 0x1234), number, 4), ERROR_NOT_SUPPORTED);
    EXPECT(SCardSetAttrib(card, SCARD_ATTR_VENDOR_NAME, NULL, 4), SCARD_E_INVALID_PARAMETER);

    /* Reconnect, with and without a place for the protocol; another handle is told of the reset. */
    other = connect_card(context);
    OK(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_Tx, SCARD_RESET_CARD, NULL));
    EXPECT(SCardStatusA(other, NULL, NULL, NULL, NULL, NULL, NULL), SCARD_W_RESET_CARD);
    OK(SCardReconnect(other, SCARD_SHARE_SHARED, SCARD_PROTOCOL_Tx, SCARD_LEAVE_CARD, &protocol));
    CHECK(protocol != 0);
    EXPECT(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_Tx, SCARD_EJECT_CARD, NULL), SCARD_E_INVALID_VALUE);
    EXPECT(SCardDisconnect(other, 4), SCARD_E_INVALID_VALUE);
    OK(SCardDisconnect(other, SCARD_LEAVE_CARD));
    EXPECT(SCardDisconnect(other, SCARD_LEAVE_CARD), SCARD_E_INVALID_HANDLE);
    OK(SCardReleaseContext(context));
    EXPECT(SCardStatusA(card, NULL, NULL, NULL, NULL, NULL, NULL), SCARD_E_INVALID_HANDLE);
    return 0;
}
