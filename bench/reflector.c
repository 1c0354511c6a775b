/* The physical limit: a UDP server that does next to nothing to what it gets, in batches of recvmmsg and sendmmsg.
 *
 *     reflector PORT reflect    send each datagram back as a response
 *     reflector PORT answer     answer A questions with 192.0.2.1 and a TTL of an hour, all others with nothing
 *
 * On 127.0.0.1 only. The second form is the authority of the benchmarks: a slower one would be what is measured.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define SIZE 2048
#define HEADER 12

static const unsigned char RECORD[16] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4, 192, 0, 2, 1};

/* Return the length of the reply made in place, or 0 for what deserves none. */
static size_t answer(unsigned char *wire, size_t length) {
    size_t at = HEADER;
    if (length < HEADER || wire[2] & 0x80)
        return 0;
    while (at < length && wire[at])
        at += wire[at] + 1u;
    at += 5;
    if (at > length)
        return 0;
    int is_address = wire[at - 4] == 0 && wire[at - 3] == 1;
    const unsigned char counts[10] = {0x85, 0x80, 0, 1, 0, (unsigned char)is_address, 0, 0, 0, 0};
    memcpy(wire + 2, counts, sizeof counts);
    if (!is_address)
        return at;
    memcpy(wire + at, RECORD, sizeof RECORD);
    return at + sizeof RECORD;
}

static size_t reflect(unsigned char *wire, size_t length) {
    if (length < HEADER || wire[2] & 0x80)
        return 0;
    wire[2] |= 0x80;
    return length;
}

static int listen_on(int port) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int size = 1 << 22, sock = socket(AF_INET, SOCK_DGRAM, 0);
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (sock < 0 || bind(sock, (struct sockaddr *)&place, sizeof place)) {
        perror("reflector");
        exit(1);
    }
    return sock;
}

int main(int count, char **words) {
    static unsigned char data[BATCH][SIZE + sizeof RECORD];
    static struct sockaddr_in peers[BATCH];
    static struct iovec parts[BATCH];
    static struct mmsghdr in[BATCH], out[BATCH];
    if (count != 3 || (strcmp(words[2], "reflect") && strcmp(words[2], "answer"))) {
        fputs("usage: reflector PORT reflect|answer\n", stderr);
        return 2;
    }
    size_t (*reply)(unsigned char *, size_t) = words[2][0] == 'r' ? reflect : answer;
    int sock = listen_on(atoi(words[1]));
    for (;;) {
        for (int n = 0; n < BATCH; n++) {
            parts[n] = (struct iovec){data[n], SIZE};
            in[n].msg_hdr = (struct msghdr){&peers[n], sizeof peers[n], &parts[n], 1, NULL, 0, 0};
        }
        int got = recvmmsg(sock, in, BATCH, MSG_WAITFORONE, NULL), ready = 0;
        for (int n = 0; n < got; n++) {
            parts[n].iov_len = reply(data[n], in[n].msg_len);
            if (parts[n].iov_len)
                out[ready++] = in[n];
        }
        for (int sent = 0; sent < ready;) {
            int done = sendmmsg(sock, out + sent, (unsigned)(ready - sent), 0);
            sent += done > 0 ? done : 1;
        }
    }
}
