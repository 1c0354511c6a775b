/* How long answers take at a steady rate, by the kernel's clock; says it in JSON.
 *
 *     arrivals PORT RATE SECONDS [FILE]
 *
 * The kernel stamps each answer as it puts it into this socket (SO_TIMESTAMPNS), so the time that this program waits for
 * a core is not in it, as it is not on a network where the client is another machine. Questions are for the names of a
 * file (lines of `NAME A`, each in turn), else for 500 names below mistral.ai, and leave at random moments (a Poisson
 * process), so that no rhythm of the server's is met or missed. In C, since what it takes of a core is taken from the
 * server. On 127.0.0.1 only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define NAMES 500
#define LONGEST 255
#define IDS 65536
#define LAST_ANSWERS_NS 200000000L

static int sock;
static long long sent[IDS];
static long *arrived, *seen;
static size_t count, room, refused;
static unsigned char (*names)[LONGEST];
static size_t known;

static long long at(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* Note a name, given with dots, in wire form. */
static void know(const char *text) {
    static size_t space;
    if (known == space) {
        space = space ? 2 * space : NAMES;
        names = realloc(names, space * sizeof *names);
        if (!names)
            fail("realloc");
    }
    unsigned char *end = names[known++], *last = end + LONGEST;
    while (*text) {
        size_t length = strcspn(text, ".");
        if (!length || length > 63 || end + length + 2 > last) {
            fprintf(stderr, "no name: %s\n", text);
            exit(1);
        }
        *end++ = length;
        memcpy(end, text, length);
        end += length;
        text += length + (text[length] == '.');
    }
    *end = 0;
}

static void know_all(const char *path) {
    char line[1024];
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, " \n")] = 0;
        know(line);
    }
    fclose(file);
}

static void ask(size_t number) {
    unsigned char wire[12 + LONGEST + 4] = {number >> 8, number, 1, 0, 0, 1};
    const unsigned char *name = names[number % known];
    size_t length = strlen((const char *)name) + 1;
    memcpy(wire + 12, name, length);
    unsigned char *end = wire + 12 + length;
    memcpy(end, "\0\1\0\1", 4);
    end += 4;
    sent[number % IDS] = at(CLOCK_REALTIME);
    if (send(sock, wire, end - wire, 0) < 0)
        fail("send");
}

static void take_all(void) {
    for (;;) {
        unsigned char reply[2048];
        union {
            struct cmsghdr header;
            char octets[CMSG_SPACE(sizeof(struct timespec))];
        } control;
        struct iovec vector = {reply, sizeof reply};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        if (recvmsg(sock, &message, MSG_DONTWAIT) < 12)
            return;
        long long now = at(CLOCK_REALTIME);
        struct cmsghdr *found = CMSG_FIRSTHDR(&message);
        long long *when = &sent[reply[0] << 8 | reply[1]];
        if (!*when || !found || found->cmsg_type != SO_TIMESTAMPNS || count == room)
            continue;
        refused += (reply[3] & 15) != 0;
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(found), sizeof stamp);
        arrived[count] = stamp.tv_sec * 1000000000LL + stamp.tv_nsec - *when;
        seen[count++] = now - *when;
        *when = 0;
    }
}

static void take_until(long long due) {
    long long left;
    while ((left = due - at(CLOCK_MONOTONIC)) > 0) {
        struct pollfd one = {sock, POLLIN, 0};
        struct timespec wait = {left / 1000000000, left % 1000000000};
        if (ppoll(&one, 1, &wait, NULL) > 0)
            take_all();
    }
}

static int compare(const void *a, const void *b) {
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

static double share(long *ordered, double part) {
    size_t place = count * part;
    return ordered[place < count ? place : count - 1] / 1e6;
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "arrivals PORT RATE SECONDS [FILE]\n");
        return 2;
    }
    if (argc == 5)
        know_all(argv[4]);
    else
        for (int number = 0; number < NAMES; number++) {
            char name[32];
            snprintf(name, sizeof name, "h%d.mistral.ai", number);
            know(name);
        }
    if (!known) {
        fprintf(stderr, "%s: no names\n", argv[4]);
        return 1;
    }
    double rate = atof(argv[2]), seconds = atof(argv[3]);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    sock = socket(AF_INET, SOCK_DGRAM, 0);
    if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) || connect(sock, (struct sockaddr *)&to, sizeof to))
        fail("socket");
    room = rate * seconds * 2 + 1000;
    arrived = calloc(room, sizeof *arrived);
    seen = calloc(room, sizeof *seen);
    if (!arrived || !seen)
        fail("calloc");
    long long due = at(CLOCK_MONOTONIC), end = due + (long long)(seconds * 1e9);
    size_t number = 0;
    srand48(1);
    while (due < end && number < room) {
        take_until(due);
        ask(number++);
        due += (long long)(-log(1 - drand48()) / rate * 1e9);
    }
    take_until(at(CLOCK_MONOTONIC) + LAST_ANSWERS_NS);
    if (!count) {
        fprintf(stderr, "no answer came, or the system stamps none\n");
        return 1;
    }
    qsort(arrived, count, sizeof *arrived, compare);
    qsort(seen, count, sizeof *seen, compare);
    printf("{\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"seen_p99_ms\": %.3f, \"answered\": %zu, \"lost\": %zu, \"refused\": %zu}\n",
           share(arrived, 0.5), share(arrived, 0.99), share(arrived, 0.999), share(seen, 0.99), count, number - count, refused);
    return 0;
}
