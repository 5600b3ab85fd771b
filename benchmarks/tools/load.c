// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

// load [--unix PATH | --port N] [option]... - calls a proxy, or the upstream itself, over a port or a Unix socket, and
// writes what it measured as one JSON object.
//
//     --path PATH          what to ask for
//     --connections N      kept alive, each with one call under way (1)
//     --requests N         end after so many answers, or
//     --seconds N          after this time
//     --rate N             calls a second, begun on time whether or not earlier ones are done; a call is timed from
//                          when it was due. Without it, each connection asks again as soon as it has its answer.
//     --direct             bring the credential that the upstream wants, not a placeholder
//     --upload N           POST N bytes
//     --stop-reading       take the head and no more of one answer, until `e` is read
//     --streams            one endless answer a connection. Prints `open` when each has had an event; `b` on standard
//                          input begins the measurement, `e` ends it; or --requests N events do.
//     --limit N            end after so many seconds whatever happens (120)
//
// An answer with a status other than --status (200) is counted as an error. Times are in microseconds.

#include "common.h"
#include <stdbool.h>
#include <stdlib.h>

struct connection {
    int fd;
    int64_t begun;
    uint64_t to_send;     // bytes of content still to be written
    uint64_t body_left;   // bytes of the answer's content still to come
    int in_count;
    bool busy, in_body, open;
    struct connection *next_idle;
    char in[4096];
};

static struct {
    const char *unix_path, *path;
    int port, connections, status;
    uint64_t requests, upload;
    double seconds, rate;
    bool direct, streams, stop_reading;
} options = {.path = "/small", .connections = 1, .status = 200};

static char request[1024];
static int request_count;
static int epoll_fd;
static char *scratch;
enum { SCRATCH = 1 << 18 };
static struct connection *idle;
static uint64_t begun_count, done_count, error_count, byte_count;
static int open_count;
static bool measuring, ended;

// 64 steps for each doubling: each is known to 1.6 percent.
static uint64_t histogram[64 * 64];
static uint64_t sample_count;

static void record(int64_t ns) {
    uint64_t value = ns < 1 ? 1 : ns;
    int power = 63 - __builtin_clzll(value);
    int step = power < 6 ? value & 63 : (value >> (power - 6)) & 63;
    histogram[power * 64 + step]++;
    sample_count++;
}

static double quantile(double part) {
    uint64_t rank = part * sample_count, seen = 0;
    for (int i = 0; i < 64 * 64; i++) {
        seen += histogram[i];
        if (seen <= rank) continue;
        int power = i / 64, step = i % 64;
        if (power < 6) return step / 1000.0;
        return ((1ull << power) + ((uint64_t)step << (power - 6)) + (1ull << (power - 6)) / 2.0) / 1000.0;
    }
    return 0;
}

static void fail(struct connection *c, const char *why) {
    error_count++;
    fprintf(stderr, "load: connection %d: %s\n", c->fd, why);
    if (error_count >= 20) exit(1); // the rest would only say the same
    close(c->fd);
    c->open = false;
    ended = ended || options.connections == 1 || options.requests;
}

static void connect_one(struct connection *c) {
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in remote = {.sin_family = AF_INET, .sin_port = htons(options.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *address = (struct sockaddr *)&remote;
    socklen_t length = sizeof remote;
    if (options.unix_path) {
        strncpy(local.sun_path, options.unix_path, sizeof local.sun_path - 1);
        address = (struct sockaddr *)&local;
        length = sizeof local;
    }
    c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, address, length)) die("connect");
    if (!options.unix_path) no_delay(c->fd);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->open = true;
    watch(epoll_fd, c->fd, EPOLLIN | (options.upload ? EPOLLOUT : 0) | EPOLLRDHUP | EPOLLET, c);
}

static bool may_begin(void) {
    return !ended && (!options.requests || begun_count < options.requests);
}

static void send_content(struct connection *c) {
    while (c->to_send) {
        ssize_t sent = send(c->fd, scratch, c->to_send < SCRATCH ? c->to_send : SCRATCH, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN) fail(c, "broke off while content was sent");
            return;
        }
        c->to_send -= sent;
    }
}

static void begin(struct connection *c, int64_t due) {
    c->begun = due;
    c->busy = true;
    begun_count++;
    ssize_t sent = send(c->fd, request, request_count, MSG_NOSIGNAL);
    if (sent != request_count) return fail(c, "did not take the request");
    c->to_send = options.upload;
    if (c->to_send) send_content(c);
}

static void answered(struct connection *c) {
    record(now_ns() - c->begun);
    done_count++;
    c->busy = c->in_body = false;
    c->in_count = 0;
    if (options.requests && done_count >= options.requests) ended = true;
    if (options.rate > 0) {
        c->next_idle = idle;
        idle = c;
    } else if (may_begin()) {
        begin(c, now_ns());
    }
}

// Looks for the end of the head; true when the content has begun.
static bool take_head(struct connection *c) {
    char *end = memmem(c->in, c->in_count, "\r\n\r\n", 4);
    if (!end) {
        if (c->in_count == sizeof c->in) fail(c, "head too large");
        return false;
    }
    if (c->in_count < 12 || atoi(c->in + 9) != options.status) {
        fail(c, "an answer with another status");
        return false;
    }
    *end = 0;
    char *length = strcasestr(c->in, "\ncontent-length:");
    c->body_left = length ? strtoull(length + 16, NULL, 10) : options.streams ? UINT64_MAX : 0;
    uint64_t have = c->in_count - (end + 4 - c->in);
    c->body_left -= have < c->body_left ? have : c->body_left;
    byte_count += have;
    c->in_body = true;
    return true;
}

// Events of a stream: each tells when it was sent.
static void take_events(struct connection *c, const char *bytes, size_t count) {
    int64_t now = now_ns();
    const char *end = bytes + count;
    while ((bytes = memmem(bytes, end - bytes, STAMP, sizeof STAMP - 1))) {
        bytes += sizeof STAMP - 1;
        if (end - bytes < STAMP_DIGITS) return;
        int64_t stamp = 0;
        for (int i = 0; i < STAMP_DIGITS; i++) stamp = stamp * 10 + (bytes[i] - '0');
        if (measuring) {
            record(now - stamp);
            done_count++;
            if (options.requests && done_count >= options.requests) ended = true;
        }
        if (!c->begun) continue;
        c->begun = 0;
        if (++open_count == options.connections && !options.requests) {
            printf("open\n");
            fflush(stdout);
        }
    }
}

static void readable(struct connection *c) {
    while (c->open) {
        bool in_head = !c->in_body;
        char *into = in_head ? c->in + c->in_count : scratch;
        size_t room = in_head ? sizeof c->in - c->in_count : SCRATCH;
        ssize_t got = read(c->fd, into, room);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) return fail(c, c->busy ? "ended in the middle of an answer" : "ended");
        if (!c->busy) return fail(c, "said something unasked");
        if (in_head) {
            c->in_count += got;
            if (!take_head(c)) continue;
            if (options.stop_reading) {
                printf("stopped\n");
                fflush(stdout);
                epoll_ctl(epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
                return;
            }
        } else {
            byte_count += got;
            if (!options.streams) c->body_left -= (uint64_t)got < c->body_left ? (uint64_t)got : c->body_left;
        }
        if (options.streams) take_events(c, into, got);
        else if (!c->body_left && !c->to_send) answered(c);
        if ((size_t)got < room) return;
    }
}

static void hear_command(void) {
    char command[16];
    ssize_t got = read(0, command, sizeof command);
    if (got <= 0) ended = true;
    for (ssize_t i = 0; i < got; i++) {
        if (command[i] == 'b') {
            measuring = true;
            memset(histogram, 0, sizeof histogram);
            sample_count = done_count = 0;
        }
        if (command[i] == 'e') ended = true;
    }
}

static void read_options(int argc, char **argv) {
    alarm(120);
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(name, "--direct")) { options.direct = true; continue; }
        if (!strcmp(name, "--streams")) { options.streams = true; continue; }
        if (!strcmp(name, "--stop-reading")) { options.stop_reading = true; continue; }
        i++;
        if (!strcmp(name, "--unix")) options.unix_path = value;
        else if (!strcmp(name, "--port")) options.port = atoi(value);
        else if (!strcmp(name, "--path")) options.path = value;
        else if (!strcmp(name, "--connections")) options.connections = atoi(value);
        else if (!strcmp(name, "--requests")) options.requests = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--seconds")) options.seconds = atof(value);
        else if (!strcmp(name, "--rate")) options.rate = atof(value);
        else if (!strcmp(name, "--upload")) options.upload = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--status")) options.status = atoi(value);
        else if (!strcmp(name, "--limit")) alarm(atoi(value));
        else {
            fprintf(stderr, "load: unknown option %s\n", name);
            exit(64);
        }
    }
}

// What an SDK sends, more or less, with a credential that must not get through.
static void write_request(void) {
    const char *credential = options.direct ? CREDENTIAL : PLACEHOLDER;
    char length[64] = "";
    if (options.upload) sprintf(length, "Content-Length: %lu\r\n", options.upload);
    request_count = snprintf(request, sizeof request,
        "%s %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nAccept-Encoding: gzip, deflate\r\n"
        "User-Agent: bench/1\r\nAuthorization: Bearer %s\r\n%s%s\r\n",
        options.upload ? "POST" : "GET", options.path, credential,
        options.direct ? "" : "X-Api-Key: " PLACEHOLDER "\r\n", length);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    write_request();
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    scratch = calloc(1, SCRATCH);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    bool commanded = (options.streams && !options.requests) || options.stop_reading;
    measuring = !commanded;
    if (commanded) watch(epoll_fd, 0, EPOLLIN, NULL);
    struct connection *connections = calloc(options.connections, sizeof *connections);
    int connected = 0;
    // Streams are opened one after the other within two seconds, so that their events do not come all at once.
    int64_t opening = options.streams ? 2000000000ll / options.connections : 0;
    while (!opening && connected < options.connections) connect_one(&connections[connected++]);

    int64_t start = now_ns();
    int64_t stop = options.seconds > 0 ? start + (int64_t)(options.seconds * 1e9) : INT64_MAX;
    double interval = options.rate > 0 ? 1e9 / options.rate : 0;
    uint64_t due_count = 0;
    if (options.rate > 0)
        for (int i = 0; i < connected; i++) connections[i].next_idle = idle, idle = &connections[i];
    else
        for (int i = 0; i < connected && may_begin(); i++) begin(&connections[i], now_ns());

    while (!ended) {
        int64_t now = now_ns();
        if (now >= stop) break;
        int64_t wake = stop;
        while (opening && connected < options.connections) {
            wake = start + opening * connected;
            if (wake > now) break;
            connect_one(&connections[connected]);
            begin(&connections[connected++], now);
        }
        while (options.rate > 0) {
            int64_t due = start + (int64_t)(interval * due_count);
            if (due > now) { wake = due < wake ? due : wake; break; }
            if (!idle) break;
            struct connection *c = idle;
            idle = c->next_idle;
            due_count++;
            begin(c, due);
        }
        struct epoll_event events[256];
        struct timespec timeout = {.tv_sec = 1};
        if (wake < now + 1000000000) timeout = (struct timespec){.tv_nsec = wake > now ? wake - now : 0};
        int count = epoll_pwait2(epoll_fd, events, 256, &timeout, NULL);
        for (int i = 0; i < count && !ended; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) { hear_command(); continue; }
            if (c->to_send && c->open && (events[i].events & EPOLLOUT)) send_content(c);
            if (c->open) readable(c);
        }
    }
    double seconds = (now_ns() - start) / 1e9;
    printf("{\"answers\": %lu, \"errors\": %lu, \"seconds\": %.6f, \"bytes\": %lu, \"p50\": %.2f, \"p99\": %.2f, "
        "\"max\": %.2f}\n", done_count, error_count, seconds, byte_count, quantile(.5), quantile(.99), quantile(1 - 1e-12));
    return error_count != 0;
}
