// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

// upstream CERTIFICATE KEY INTERVAL - what stands behind a proxy while it is measured. Prints the ports it listens on, plain
// text first, then TLS.
//
//     GET /small       a small JSON answer
//     GET /events      server-sent events, one each INTERVAL milliseconds, until the caller leaves
//     GET /bytes/N     N zero bytes
//     POST /swallow    takes the content (Content-Length) and gives the small answer
//
// The path may have anything before these words. A call without the injected credential, or with the caller's own,
// gets 403.

#include "common.h"
#include <openssl/ssl.h>

enum { HEAD_BYTES = 4096 };

struct connection {
    int fd;
    SSL *tls;
    int in_count;
    const char *out;         // to be written first,
    size_t out_count;
    uint64_t zeros;          // then so many zero bytes
    uint64_t swallow;        // bytes of content still to come
    int64_t event_due;
    struct connection *next; // in the queue of streams
    char event[192];
    char in[HEAD_BYTES];
};

static char zeros[1 << 18];
static char scratch[1 << 18];
static int epoll_fd;
static int64_t event_interval; // nanoseconds
static SSL_CTX *tls_context;
// Streams in the order of their next events: all have the same interval, so that a queue will do.
static struct connection *first_stream, *last_stream;

static const char small[] =
    "HTTP/1.1 200 OK\r\nServer: upstream\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    "Content-Type: application/json\r\nContent-Length: 90\r\n\r\n"
    "{\"id\":\"answer-0123456789\",\"object\":\"text\",\"model\":\"bench\",\"text\":\"A small answer.\",\"n\":1}\n";
static const char refused[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
static const char unknown[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
static const char stream_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";

// −1: nothing now (EAGAIN); 0: the other side has left.
static ssize_t take(struct connection *c, char *into, size_t count) {
    if (c->tls) {
        int got = SSL_read(c->tls, into, count);
        if (got > 0) return got;
        int error = SSL_get_error(c->tls, got);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -1 : 0;
    }
    ssize_t got = read(c->fd, into, count);
    return got >= 0 ? got : errno == EAGAIN ? -1 : 0;
}

static ssize_t put(struct connection *c, const char *from, size_t count) {
    if (c->tls) {
        int sent = SSL_write(c->tls, from, count > 1 << 30 ? 1 << 30 : count);
        if (sent > 0) return sent;
        int error = SSL_get_error(c->tls, sent);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -1 : 0;
    }
    ssize_t sent = send(c->fd, from, count, MSG_NOSIGNAL);
    return sent >= 0 ? sent : errno == EAGAIN ? -1 : 0;
}

static void answer(struct connection *c, const char *text, size_t count) {
    c->out = text;
    c->out_count = count;
}

static void begin_stream(struct connection *c) {
    answer(c, stream_head, sizeof stream_head - 1);
    c->event_due = now_ns() + event_interval;
    c->next = NULL;
    if (last_stream) last_stream->next = c;
    else first_stream = c;
    last_stream = c;
}

static void leave_queue(struct connection *c) {
    struct connection *before = NULL;
    for (struct connection *s = first_stream; s; before = s, s = s->next) {
        if (s != c) continue;
        if (before) before->next = s->next;
        else first_stream = s->next;
        if (last_stream == s) last_stream = before;
        return;
    }
}

static void end_connection(struct connection *c) {
    if (c->event_due) leave_queue(c);
    if (c->tls) SSL_free(c->tls);
    close(c->fd);
    free(c);
}

// The head is whole: decides the answer.
static void serve(struct connection *c, const char *end) {
    size_t count = end + 4 - c->in;
    const char *line_end = memchr(c->in, '\r', count);
    char *word;
    if (memmem(c->in, count, PLACEHOLDER, sizeof PLACEHOLDER - 1)
        || !memmem(c->in, count, "Bearer " CREDENTIAL, sizeof CREDENTIAL + 6)) {
        answer(c, refused, sizeof refused - 1);
    } else if (memmem(c->in, line_end - c->in, "/small", 6)) {
        answer(c, small, sizeof small - 1);
    } else if (memmem(c->in, line_end - c->in, "/events", 7)) {
        begin_stream(c);
    } else if ((word = memmem(c->in, line_end - c->in, "/bytes/", 7))) {
        c->zeros = strtoull(word + 7, NULL, 10);
        int length = snprintf(c->event, sizeof c->event, "HTTP/1.1 200 OK\r\nContent-Length: %lu\r\n\r\n", c->zeros);
        answer(c, c->event, length);
    } else if (memmem(c->in, line_end - c->in, "/swallow", 8)) {
        c->in[c->in_count] = 0;
        word = strcasestr(c->in, "\ncontent-length:");
        c->swallow = word ? strtoull(word + 16, NULL, 10) : 0;
        if (!c->swallow) answer(c, small, sizeof small - 1);
    } else {
        answer(c, unknown, sizeof unknown - 1);
    }
    // Content may have come along with the head; no request is sent ahead of the last answer.
    uint64_t rest = c->in_count - count;
    if (c->swallow) {
        c->swallow -= rest < c->swallow ? rest : c->swallow;
        if (!c->swallow) answer(c, small, sizeof small - 1);
    }
    c->in_count = 0;
}

// Does what can be done now; false when the connection is over.
static int drive(struct connection *c) {
    for (;;) {
        while (c->out_count) {
            ssize_t sent = put(c, c->out, c->out_count);
            if (sent <= 0) return sent;
            c->out += sent;
            c->out_count -= sent;
        }
        while (c->zeros) {
            ssize_t sent = put(c, zeros, c->zeros < sizeof zeros ? c->zeros : sizeof zeros);
            if (sent <= 0) return sent;
            c->zeros -= sent;
        }
        if (c->swallow) {
            ssize_t got = take(c, scratch, sizeof scratch);
            if (got <= 0) return got;
            c->swallow -= (uint64_t)got < c->swallow ? (uint64_t)got : c->swallow;
            if (!c->swallow) answer(c, small, sizeof small - 1);
            continue;
        }
        size_t room = sizeof c->in - 1 - c->in_count;
        if (!room) return 0;
        ssize_t got = take(c, c->in + c->in_count, room);
        if (got <= 0) return got;
        c->in_count += got;
        char *end = memmem(c->in, c->in_count, "\r\n\r\n", 4);
        if (end) {
            serve(c, end);
        } else if (!c->tls && (size_t)got < room) {
            return -1;
        }
        // A plain read that gave less than was asked for has emptied the socket: only an answer is left to write.
        if (end && !c->tls && !c->swallow && !c->zeros && (size_t)got < room) {
            ssize_t sent = put(c, c->out, c->out_count);
            if (sent <= 0) return sent;
            c->out += sent;
            c->out_count -= sent;
            if (!c->out_count) return -1;
        }
    }
}

static void accept_all(int listener, int with_tls) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        no_delay(fd);
        struct connection *c = malloc(sizeof *c);
        memset(c, 0, offsetof(struct connection, event));
        c->fd = fd;
        if (with_tls) {
            c->tls = SSL_new(tls_context);
            SSL_set_fd(c->tls, fd);
            SSL_set_accept_state(c->tls);
        }
        watch(epoll_fd, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c);
        if (!drive(c)) end_connection(c);
    }
}

// Sends the events that are due; returns milliseconds until the next.
static int send_events(void) {
    int64_t now = now_ns();
    while (first_stream && first_stream->event_due <= now) {
        struct connection *c = first_stream;
        first_stream = c->next;
        if (!first_stream) last_stream = NULL;
        c->next = NULL;
        c->event_due += event_interval;
        if (last_stream) last_stream->next = c;
        else first_stream = c;
        last_stream = c;
        if (c->out_count) continue; // a reader that is this slow misses one
        int length = snprintf(c->event, sizeof c->event,
            "64\r\ndata: {" STAMP "%019ld,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one more word or two\"}}]}"
            "\n\n\r\n", now_ns());
        answer(c, c->event, length);
        if (!drive(c)) end_connection(c);
        now = now_ns();
    }
    if (!first_stream) return -1;
    return (first_stream->event_due - now + 999999) / 1000000;
}

static int listen_on_loopback(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, 4096)) die("listen");
    getsockname(fd, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 4) return 64;
    event_interval = atoll(argv[3]) * 1000000;
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    static int plain, tls;
    plain = listen_on_loopback();
    watch(epoll_fd, plain, EPOLLIN, &plain);
    tls_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(tls_context,
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(tls_context, (const unsigned char *)"bench", 5);
    if (SSL_CTX_use_certificate_chain_file(tls_context, argv[1]) != 1
        || SSL_CTX_use_PrivateKey_file(tls_context, argv[2], SSL_FILETYPE_PEM) != 1) die("certificate");
    tls = listen_on_loopback();
    watch(epoll_fd, tls, EPOLLIN, &tls);
    fflush(stdout);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll_fd, events, 256, send_events());
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &plain) accept_all(plain, 0);
            else if (events[i].data.ptr == &tls) accept_all(tls, 1);
            else if (!drive(events[i].data.ptr)) end_connection(events[i].data.ptr);
        }
    }
}
