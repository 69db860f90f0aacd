"""A card with an empty OpenPGP application: enough for `gpg --card-status`. Argument: where the reader listens."""
import socket
import sys

ATR = bytes.fromhex("3B DA 18 FF 81 B1 FE 75 1F 03 00 31 F5 73 C0 01 60 00 90 00 1C")
AID = bytes.fromhex("D2760001240103040000000000010000")


def tlv(tag, value):
    return bytes.fromhex(tag) + (bytes([len(value)]) if len(value) < 128 else bytes([0x81, len(value)])) + value


RSA = bytes.fromhex("010800002000")
DISCRETIONARY = b"".join((
    tlv("C0", bytes.fromhex("00000000000008000000")), tlv("C1", RSA), tlv("C2", RSA), tlv("C3", RSA),
    tlv("C4", bytes.fromhex("00202020030003")), tlv("C5", bytes(60)), tlv("C6", bytes(60)), tlv("CD", bytes(12)),
))
HISTORICAL = bytes.fromhex("0031F573C00160009000")
OBJECTS = {
    0x004F: AID,
    0x5F52: HISTORICAL,
    0x00C4: bytes.fromhex("00202020030003"),
    0x0065: tlv("5B", b"Nobody") + tlv("5F2D", b"en") + tlv("5F35", b"9"),
    0x006E: tlv("4F", AID) + tlv("5F52", HISTORICAL) + tlv("73", DISCRETIONARY),
    0x007A: tlv("93", bytes(3)),
    0x005E: b"", 0x5F50: b"",
}


def answer(command):
    instruction, p1, p2 = command[1:4]
    if instruction == 0xA4:
        name = command[5:5 + command[4]] if p1 == 4 else b""
        return b"\x90\x00" if name and AID.startswith(name) else b"\x6A\x82"
    if instruction == 0xCA and (p1 << 8 | p2) in OBJECTS:
        return OBJECTS[p1 << 8 | p2] + b"\x90\x00"
    return b"\x6A\x88"


def exactly(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            sys.exit()
        data += more
    return data


where = sys.argv[1]
if where.startswith("unix:"):
    card = socket.socket(socket.AF_UNIX)
    card.connect(where[5:])
else:
    host, port = where.rsplit(":", 1)
    card = socket.create_connection((host, int(port)))
while True:
    message = exactly(card, int.from_bytes(exactly(card, 2), "big"))
    if len(message) > 1:
        reply = answer(message)
    elif message == b"\x04":
        reply = ATR
    else:
        continue
    card.sendall(len(reply).to_bytes(2, "big") + reply)
