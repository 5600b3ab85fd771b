# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""get.py unix|tcp PATH [SOCKET|PORT] - one call of the agent: status, milliseconds to its first byte, and its body."""

import socket
import sys
import time

family, path = sys.argv[1:3]
where = sys.argv[3] if len(sys.argv) > 3 else "/run/gateway-agent/agent.sock" if family == "unix" else "4748"
begin = time.monotonic()
stream = socket.socket(socket.AF_UNIX if family == "unix" else socket.AF_INET)
stream.settimeout(180)
stream.connect(where if family == "unix" else ("127.0.0.1", int(where)))
stream.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
answer, first = b"", 0.0
while piece := stream.recv(65536):
    first = first or time.monotonic() - begin
    answer += piece
head, _, body = answer.partition(b"\r\n\r\n")
print(f"{int(head.split()[1])} {first * 1000:.1f} {body.decode()}")
