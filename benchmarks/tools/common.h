// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors

// What the two ends of a measurement share. Both are one thread around one edge-triggered epoll(7) instance, so that
// they cost far less than what is measured between them.

#ifndef COMMON_H
#define COMMON_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// The upstream wants the one and refuses the other, so that a proxy that does not do the job is noticed.
#define CREDENTIAL "injected-credential"
#define PLACEHOLDER "placeholder"

// Before the time in each event; the time is of CLOCK_MONOTONIC in nanoseconds, 19 digits.
#define STAMP "\"t\":"
#define STAMP_DIGITS 19

static inline int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

// As many descriptors as the system lets this process have.
static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static inline void no_delay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static inline void watch(int epoll, int fd, uint32_t events, void *target) {
    struct epoll_event event = {.events = events, .data.ptr = target};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

#endif
