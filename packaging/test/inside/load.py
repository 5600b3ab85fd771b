#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""load.py RESULT [STREAMSECONDS] - call the agent without a pause on both of its sockets, until SIGTERM.

Quick calls, each on a connection of its own, and streams. Calls under way at the end are waited for. What became of
all of them is counted into the file RESULT, as JSON (and at the end into RESULT.last), beside how far each kind of call
has got on each socket, how many callers there are, each with one call at a time, and a name that no other run has: the
file outlives a reboot, and what an earlier run wrote shall not pass for this one's.

    ok        a whole answer
    refused   the connection could not be made
    reset     it was cut before the answer began
    cut       it was cut in the middle of an answer, and lacks what the answer's framing promised: the caller can tell
    half      its framing is whole, and what it frames is not: the caller cannot tell
    wrong     another status than 200
"""

import collections
import json
import pathlib
import signal
import socket
import sys
import threading
import time
import uuid

UNIX, PORT = "/run/gateway-agent/agent.sock", 4748
counts: collections.Counter = collections.Counter()
progress: collections.Counter = collections.Counter()
longest: dict = collections.defaultdict(float)
examples: list = []
lock = threading.Lock()
stopping = threading.Event()
workers: list = []
run = uuid.uuid4().hex


def connect(family: str) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX if family == "unix" else socket.AF_INET)
    stream.settimeout(180)
    try:
        stream.connect(UNIX if family == "unix" else ("127.0.0.1", PORT))
    except OSError:
        stream.close()
        raise
    return stream


def call(family: str, path: str) -> str:
    try:
        stream = connect(family)
    except OSError as error:
        return note("refused", family, path, repr(error))
    received = b""
    with stream:
        try:
            stream.sendall(f"GET /fake{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
            while piece := stream.recv(65536):
                if not received and path.startswith("/stream"):
                    advance(f"stream {family}")
                received += piece
        except OSError as error:
            return note("cut" if received else "reset", family, path, repr(error))
    if not received:
        return note("reset", family, path, "ended without an answer")
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        return note("wrong", family, path, head.decode(errors="replace")[:200] + body.decode(errors="replace")[:300])
    if b"chunked" in head.lower():
        # Without the last chunk the end is visibly none.
        if not body.endswith(b"0\r\n\r\n"):
            return note("cut", family, path, "no last chunk")
        return "ok" if b"data: done" in body else note("half", family, path, f"ends with {body[-40:]!r}")
    advance(f"quick {family}")
    length = int(head.lower().split(b"content-length:")[1].split()[0])
    if len(body) < length:
        return note("cut", family, path, f"{len(body)} of {length} bytes")
    return "ok" if len(body) == length and body.endswith(b"}") else note("half", family, path, repr(body[-40:]))


def advance(what: str) -> None:
    with lock:
        progress[what] += 1


def note(what: str, family: str, path: str, why: str) -> str:
    with lock:
        if len(examples) < 20:
            examples.append(f"{time.strftime('%H:%M:%S')} {what} {family} {path}: {why}")
    return what


def work(family: str, path: str, pause: float) -> None:
    kind = "stream" if path.startswith("/stream") else "quick"
    while not stopping.is_set():
        begin = time.monotonic()
        what = call(family, path)
        with lock:
            counts[f"{kind} {what}"] += 1
            longest[f"{kind} {family}"] = max(longest[f"{kind} {family}"], time.monotonic() - begin)
        stopping.wait(pause)


def main() -> None:
    result = pathlib.Path(sys.argv[1])
    stream = f"/stream?seconds={sys.argv[2] if len(sys.argv) > 2 else 10}"
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    for family in ("unix", "tcp"):
        for path, pause, threads in [("/quick", 0.01, 3), (stream, 0.2, 2)]:
            for _ in range(threads):
                workers.append(threading.Thread(target=work, args=(family, path, pause), daemon=True))
                workers[-1].start()
    while not stopping.wait(0.2):
        report(result)
    # What is under way shall end as it would: a stream takes its time.
    end = time.monotonic() + 25
    while time.monotonic() < end and any(worker.is_alive() for worker in workers):
        time.sleep(0.05)
    report(result)
    report(pathlib.Path(f"{result}.last"))


def report(result: pathlib.Path) -> None:
    with lock:
        waits = {key: round(value, 2) for key, value in longest.items()}
        text = json.dumps({"counts": counts, "progress": progress, "longest": waits, "examples": examples,
                           "callers": len(workers), "run": run})
    fresh = result.with_name(result.name + ".new")
    fresh.write_text(text)
    fresh.rename(result)


if __name__ == "__main__":
    main()
