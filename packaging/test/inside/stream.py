# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""stream.py FILE - one stream through the agent, until there is that file.

Says when it has begun, and then whether it came whole, half or cut.
"""

import socket
import sys

stream = socket.create_connection(("127.0.0.1", 4748), 180)
stream.sendall(f"GET /fake/stream?until={sys.argv[1]} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
answer = stream.recv(65536)
print("begun", flush=True)
try:
    while b"0\r\n\r\n" not in answer[-8:]:
        piece = stream.recv(65536)
        if not piece:
            sys.exit(print("cut"))
        answer += piece
    print("whole" if b"data: done" in answer else "half")
except OSError as error:
    print("cut", error)
