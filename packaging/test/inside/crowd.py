# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""crowd.py PROCESS - calls of 64 callers that come at once: the agent is stopped while they are sent.

Writes how many answers were whole, how many reads and writes the agent has made through io_uring, and whether a process
outside of the agent's sandbox may use that at all (SINGLE_ISSUER and all, as the agent asks for it)."""

import ctypes
import json
import os
import pwd
import re
import signal
import socket
import sys

PATH = "/run/gateway-agent/agent.sock"
SETUP, FLAGS = 425, 1 << 7 | 1 << 8 | 1 << 12


def connect() -> socket.socket:
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(180)
    stream.connect(PATH)
    return stream


def ask(stream: socket.socket, path: str, more: str = "") -> None:
    stream.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n".encode())


def answer(stream: socket.socket) -> bytes:
    received = b""
    while not (found := re.match(rb"HTTP/1.1 200 (?s:.*?)content-length: (\d+)(?s:.*?)\r\n\r\n", received, re.I)) or (
            len(received) < found.end() + int(found[1])):
        piece = stream.recv(65536)
        if not piece:
            break
        received += piece
    return received


def permitted() -> bool:
    # As the agent: kernel.io_uring_disabled may leave it to root alone.
    os.setuid(pwd.getpwnam("gateway-agent").pw_uid)
    ring = ctypes.CDLL(None).syscall(SETUP, 8, (ctypes.c_uint32 * 30)(0, 0, FLAGS))
    if ring >= 0:
        os.close(ring)
    return ring >= 0


process = int(sys.argv[1])
streams = [connect() for _ in range(64)]
whole = 0
for _ in range(2):
    os.kill(process, signal.SIGSTOP)
    for stream in streams:
        ask(stream, "/fake/quick")
    os.kill(process, signal.SIGCONT)
    whole += sum(b'"credential": "token"' in answer(stream) for stream in streams)
ask(streams[0], "/-/metrics", "connection: close\r\n")
text = b""
while piece := streams[0].recv(65536):
    text += piece
calls = re.search(rb"gateway_agent_ring_calls_total (\d+)", text)
print(json.dumps({"whole": whole, "calls": int(calls[1]), "permitted": permitted()}))
