// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 The gateway-agent authors
//
// The parts of Linux that Swift's Glibc module leaves out. Declarations only: no logic lives in C.
#pragma once

// Swift's Glibc module owns what it defines. Without this line the owner of a type such as `stat` would be whichever of
// the two modules the compiler happened to build first, and a file would compile on one day and not on another.
#ifdef __swift__
#pragma clang module import SwiftGlibc
#endif

#include <elf.h>
#include <linux/inet_diag.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

// _GNU_SOURCE prototypes that the Glibc module is compiled without.
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int descriptors[2], int flags);
long syscall(long number, ...);
long splice(int from, long *from_offset, int to, long *to_offset, unsigned long count, unsigned int flags);
int posix_spawn_file_actions_addclosefrom_np(void *actions, int first);
int posix_spawn_file_actions_addchdir_np(void *actions, const char *path);
int sched_getaffinity(int pid, unsigned long size, unsigned long *mask);
int pthread_setname_np(unsigned long thread, const char *name);

/// The beginning of struct dl_phdr_info of dl_iterate_phdr(3): one object that the dynamic linker has loaded.
struct clinux_loaded_object {
    unsigned long address;
    const char *name;
    const Elf64_Phdr *headers;
    unsigned short header_count;
};
int dl_iterate_phdr(int (*each)(struct clinux_loaded_object *object, size_t size, void *context), void *context);

// The system calls of a loop, straight: in a program of several threads the C library puts two atomic operations around
// each of its own, so that pthread_cancel(3) could end it there, and nobody here cancels threads.
static inline ssize_t clinux_recv(int descriptor, void *memory, size_t count) {
    return syscall(SYS_recvfrom, descriptor, memory, count, 0, NULL, NULL);
}
static inline ssize_t clinux_send(int descriptor, const void *memory, size_t count, int flags) {
    return syscall(SYS_sendto, descriptor, memory, count, flags, NULL, 0);
}
static inline int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int milliseconds) {
    return (int)syscall(SYS_epoll_pwait, epoll, events, capacity, milliseconds, NULL, (size_t)8);
}

// io_uring(7), without a library: two system calls, and two numbers that the kernel and the program share.
static inline int clinux_io_uring_setup(unsigned entries, struct io_uring_params *parameters) {
    return (int)syscall(SYS_io_uring_setup, entries, parameters);
}
static inline int clinux_io_uring_enter(int ring, unsigned submitted, unsigned completed, unsigned flags) {
    return (int)syscall(SYS_io_uring_enter, ring, submitted, completed, flags, NULL, (size_t)0);
}
static inline unsigned clinux_load_acquire(const unsigned *place) {
    return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}
static inline void clinux_store_release(unsigned *place, unsigned value) {
    __atomic_store_n(place, value, __ATOMIC_RELEASE);
}
/// Of linux/io_uring.h, whose macros with casts and shifts Swift does not take over.
enum {
    CLINUX_RING_FLAGS = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER,
    CLINUX_RING_GETEVENTS = IORING_ENTER_GETEVENTS,
    CLINUX_RING_OFF_ENTRIES = IORING_OFF_SQES,
    CLINUX_RING_SEND = IORING_OP_SEND,
    CLINUX_RING_RECV = IORING_OP_RECV,
};

/// struct ucred of unix(7) (SO_PEERCRED), under a name of its own.
struct clinux_ucred {
    int pid;
    unsigned int uid;
    unsigned int gid;
};

// prctl(2) takes variable arguments, which Swift cannot call.
static inline int clinux_set_dumpable(unsigned long value) {
    return prctl(PR_SET_DUMPABLE, value, 0UL, 0UL, 0UL);
}
static inline int clinux_get_dumpable(void) {
    return prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
}

/// POSIX_SPAWN_SETSID of spawn.h, which shows it under _GNU_SOURCE only.
enum { CLINUX_POSIX_SPAWN_SETSID = 0x80 };

/// Of fcntl.h, which shows them under _GNU_SOURCE only.
enum { CLINUX_F_SETPIPE_SZ = 1031, CLINUX_F_GETPIPE_SZ = 1032 };
enum { CLINUX_SPLICE_F_MOVE = 1, CLINUX_SPLICE_F_NONBLOCK = 2 };

/// environ(7), which Swift 6 mode does not let through as a variable.
static inline char **clinux_environment(void) {
    extern char **environ;
    return environ;
}
