"""pyscard: readers, a connection, commands, and the errors that programs meet."""
from smartcard.CardConnection import CardConnection
from smartcard.CardRequest import CardRequest
from smartcard.CardType import ATRCardType
from smartcard.Exceptions import NoCardException
from smartcard.System import readers
from smartcard.util import toBytes

first, second = readers()
assert str(first) == "Virtual PCD 00 00", first
assert str(second) == "Virtual PCD 00 01", second

connection = first.createConnection()
connection.connect()
atr = connection.getATR()
assert atr[0] == 0x3B, atr
data, sw1, sw2 = connection.transmit(toBytes("00 A4 04 00 05 A0 00 00 03 08"))
assert (sw1, sw2) == (0x90, 0x00) and data[0] == 0x61, (data, sw1, sw2)
data, sw1, sw2 = connection.transmit(toBytes("00 20 00 80"))
assert sw1 == 0x63, (sw1, sw2)
connection.disconnect()

connection = first.createConnection()
connection.connect(CardConnection.T1_protocol)
assert connection.getProtocol() == CardConnection.T1_protocol
connection.disconnect()

try:
    second.createConnection().connect()
    raise AssertionError("no card is there")
except NoCardException:
    pass

service = CardRequest(timeout=5, cardType=ATRCardType(atr)).waitforcard()
service.connection.connect()
assert str(service.connection.getReader()) == str(first)
print("all is well")
