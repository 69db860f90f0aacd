/*
 * A small virtual card for vpcd, so that pcscd has something in a reader: run it in pcscd's network namespace.
 *
 *   vcard PORT
 *
 * It answers 3B 80 80 01 01 to resets. Commands: 80 84 .. .. Le answers Le bytes 00 01 02 ... and 90 00 (Le 00: 256);
 * 80 CA .. .. Lc data answers the data and 90 00; 00 A4 answers 61 10; all others 6D 00.
 * It speaks the vpcd frame: two bytes of length, big-endian, and the data; one byte 0 off, 1 on, 2 reset, 4 ATR.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int read_all(int fd, unsigned char *data, size_t length)
{
    while (length > 0) {
        int on = 1;
        ssize_t got = read(fd, data, length);
        if (got <= 0)
            return -1;
        /* vpcd writes length and data apart: without this each command waits 40 ms for a delayed ACK. */
        setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
        data += got;
        length -= (size_t)got;
    }
    return 0;
}

static int send_frame(int fd, const unsigned char *data, size_t length)
{
    static unsigned char frame[2 + 65538];
    frame[0] = (unsigned char)(length >> 8);
    frame[1] = (unsigned char)length;
    memcpy(frame + 2, data, length);
    return write(fd, frame, length + 2) == (ssize_t)(length + 2) ? 0 : -1;
}

static size_t answer(const unsigned char *command, size_t length, unsigned char *response)
{
    size_t at = 0;
    if (length >= 5 && command[0] == 0x80 && command[1] == 0x84) {
        size_t wanted = command[4] == 0 ? 256 : command[4];
        for (; at < wanted; at++)
            response[at] = (unsigned char)at;
    } else if (length >= 5 && command[0] == 0x80 && command[1] == 0xCA) {
        at = length - 5;
        memcpy(response, command + 5, at);
    } else if (length >= 2 && command[0] == 0x00 && command[1] == 0xA4) {
        response[0] = 0x61;
        response[1] = 0x10;
        return 2;
    } else {
        response[0] = 0x6D;
        response[1] = 0x00;
        return 2;
    }
    response[at] = 0x90;
    response[at + 1] = 0x00;
    return at + 2;
}

int main(int argc, char **argv)
{
    static const unsigned char atr[] = {0x3B, 0x80, 0x80, 0x01, 0x01};
    static unsigned char command[65536], response[65538];
    struct sockaddr_in address = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, tries = 0;

    if (argc != 2 || fd < 0)
        return 2;
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* vpcd may be about to listen. */
    while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        if (errno != ECONNREFUSED || tries++ == 200) {
            perror("connect");
            return 1;
        }
        usleep(50000);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (;;) {
        unsigned char head[2];
        size_t length;
        if (read_all(fd, head, 2) != 0)
            return 0;
        length = (size_t)head[0] << 8 | head[1];
        if (read_all(fd, command, length) != 0)
            return 0;
        if (length == 1) {
            if (command[0] == 4 && send_frame(fd, atr, sizeof atr) != 0)
                return 0;
        } else if (send_frame(fd, response, answer(command, length, response)) != 0) {
            return 0;
        }
    }
}
