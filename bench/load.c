/* A load generator: keeps so many questions open, in batches of sendmmsg and recvmmsg; says what dnsperf says.
 *
 *     load PORT FILE SECONDS PASSES SOCKETS OPEN
 *
 * FILE has a name and a type (always A) a line, as for dnsperf. It is asked again and again for SECONDS, or PASSES times
 * if that is over before (0: no matter how often). dnsperf on one core gets 170,000 answers a second at most, less than
 * the faster servers give; this gets four times that. On 127.0.0.1 only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
#define SIZE 4096
#define IDS 65536
#define LOST_AFTER 2.0
#define MAX_SOCKETS 64

struct question {
    unsigned char *wire;
    size_t length;
};

struct client {
    int sock;
    unsigned open;
    unsigned short next, oldest; /* ids; those from oldest to next may still be open */
    double sent[IDS];            /* when, or 0 once it is answered or given up */
};

static const char *const RCODES[16] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
                                       "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE", "RCODE11",
                                       "RCODE12",  "RCODE13", "RCODE14",  "RCODE15"};
static struct client clients[MAX_SOCKETS];
static struct question *questions;
static size_t count;
static unsigned long sent, answered, lost, rcodes[16];
static double last_answer;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* Write the question for a name; return its length, or 0 if the name is none. */
static size_t question_for(const char *name, unsigned char *wire) {
    static const unsigned char head[12] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, tail[5] = {0, 0, 1, 0, 1};
    size_t at = sizeof head;
    memcpy(wire, head, sizeof head);
    while (*name) {
        size_t label = strcspn(name, ".");
        if (label == 0 || label > 63 || at + label > 250)
            return 0;
        wire[at++] = (unsigned char)label;
        memcpy(wire + at, name, label);
        at += label;
        name += label + (name[label] == '.');
    }
    memcpy(wire + at, tail, sizeof tail);
    return at + sizeof tail;
}

static void read_questions(const char *path) {
    char line[512], name[512];
    unsigned char wire[512];
    size_t room = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file)) {
        size_t length = sscanf(line, "%511s A", name) == 1 ? question_for(name, wire) : 0;
        if (!length) {
            fprintf(stderr, "%s: line %zu is no name\n", path, count + 1);
            exit(1);
        }
        if (count == room && !(questions = realloc(questions, (room = room * 2 + 1024) * sizeof *questions)))
            fail("memory");
        if (!(questions[count].wire = malloc(length)))
            fail("memory");
        memcpy(questions[count].wire, wire, length);
        questions[count++].length = length;
    }
    fclose(file);
    if (!count) {
        fprintf(stderr, "%s: no questions\n", path);
        exit(1);
    }
}

static void connect_to(struct client *client, int port) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int size = 1 << 22;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (client->sock < 0 || connect(client->sock, (struct sockaddr *)&place, sizeof place))
        fail("socket");
    setsockopt(client->sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/* Ask up to `room` questions; `left` of the passes bounds them. */
static void ask(struct client *client, unsigned room, unsigned long left) {
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    static unsigned char data[BATCH][512]; /* copies: one question may be asked twice in a batch, with two ids */
    int ready = 0;
    double at = now();
    for (; ready < BATCH && (unsigned)ready < room && (unsigned long)ready < left; ready++) {
        struct question *one = &questions[(sent + (unsigned long)ready) % count];
        unsigned short id = client->next;
        if (client->sent[id] != 0) /* a whole turn of ids is open: wait */
            break;
        memcpy(data[ready], one->wire, one->length);
        data[ready][0] = (unsigned char)(id >> 8);
        data[ready][1] = (unsigned char)id;
        parts[ready] = (struct iovec){data[ready], one->length};
        messages[ready].msg_hdr = (struct msghdr){.msg_iov = &parts[ready], .msg_iovlen = 1};
        client->sent[id] = at;
        client->next++;
    }
    int done = ready ? sendmmsg(client->sock, messages, (unsigned)ready, 0) : 0;
    if (done < 0)
        done = 0;
    for (int n = ready; n > done; n--) /* what the kernel did not take is not asked */
        client->sent[--client->next] = 0;
    sent += (unsigned long)done;
    client->open += (unsigned)done;
}

static int take(struct client *client) {
    static unsigned char data[BATCH][SIZE];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    for (int n = 0; n < BATCH; n++) {
        parts[n] = (struct iovec){data[n], SIZE};
        messages[n].msg_hdr = (struct msghdr){.msg_iov = &parts[n], .msg_iovlen = 1};
    }
    int got = recvmmsg(client->sock, messages, BATCH, MSG_DONTWAIT, NULL), good = 0;
    for (int n = 0; n < got; n++) {
        unsigned short id = (unsigned short)(data[n][0] << 8 | data[n][1]);
        if (messages[n].msg_len < 12 || !(data[n][2] & 0x80) || client->sent[id] == 0)
            continue;
        client->sent[id] = 0;
        client->open--;
        rcodes[data[n][3] & 15]++;
        good++;
    }
    if (good) {
        answered += (unsigned long)good;
        last_answer = now();
    }
    return good;
}

static void give_up(struct client *client, double before) {
    while (client->oldest != client->next && client->sent[client->oldest] < before) {
        if (client->sent[client->oldest] != 0) {
            client->sent[client->oldest] = 0;
            client->open--;
            lost++;
        }
        client->oldest++;
    }
}

static void wait_for_any(int sockets) {
    struct pollfd set[MAX_SOCKETS];
    for (int n = 0; n < sockets; n++)
        set[n] = (struct pollfd){clients[n].sock, POLLIN, 0};
    poll(set, (nfds_t)sockets, 10);
}

static void run(int sockets, unsigned window, double seconds, unsigned long most) {
    double began = now(), at = began, cleaned = began;
    unsigned long open = 0;
    last_answer = began;
    do {
        int taken = 0, is_asking = at - began < seconds && sent < most;
        for (int n = 0; n < sockets; n++) {
            taken += take(&clients[n]);
            if (is_asking && clients[n].open < window)
                ask(&clients[n], window - clients[n].open, most - sent);
        }
        at = now();
        if (at - cleaned > 0.1) {
            cleaned = at;
            for (int n = 0; n < sockets; n++)
                give_up(&clients[n], at - LOST_AFTER);
        }
        if (!taken)
            wait_for_any(sockets);
        open = 0;
        for (int n = 0; n < sockets; n++)
            open += clients[n].open;
    } while (open || (at - began < seconds && sent < most));
    double took = last_answer - began;
    printf("  Queries sent:         %lu\n  Queries completed:    %lu\n  Queries lost:         %lu\n", sent, answered, lost);
    printf("  Response codes:       ");
    for (int n = 0; n < 16; n++)
        if (rcodes[n])
            printf("%s %lu (%.2f%%), ", RCODES[n], rcodes[n], 100.0 * (double)rcodes[n] / (double)answered);
    printf("\n  Run time (s):         %.6f\n", took);
}

int main(int words, char **word) {
    if (words != 7) {
        fputs("usage: load PORT FILE SECONDS PASSES SOCKETS OPEN\n", stderr);
        return 2;
    }
    int sockets = atoi(word[5]);
    unsigned long passes = strtoul(word[4], NULL, 10);
    if (sockets < 1 || sockets > MAX_SOCKETS) {
        fprintf(stderr, "SOCKETS: wanted 1 to %d, found %s\n", MAX_SOCKETS, word[5]);
        return 2;
    }
    read_questions(word[2]);
    for (int n = 0; n < sockets; n++)
        connect_to(&clients[n], atoi(word[1]));
    run(sockets, (unsigned)((atoi(word[6]) + sockets - 1) / sockets), atof(word[3]), passes ? passes * count : (unsigned long)-1);
    return 0;
}
