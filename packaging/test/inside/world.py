#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""world.py issuer|upstream PORT - what the agent needs around it in the machine: who gives tokens, and who takes calls.

The issuer answers POST /token?life=SECONDS with a token of its own, if it is asked with the bootstrap secret; with
&ahead=SECONDS its clock is ahead. The upstream answers /quick with the credential it saw, and /stream?seconds=N, or
?until=FILE until there is such a file, with an event each tenth of a second and a last one that says done; /refused, and
a call without a credential, get 401. Either tells systemd when it listens: before, the agent would be refused.
"""

import http.server
import json
import os
import socket
import sys
import time
import urllib.parse

TOKEN = "planted-token-b31f07c2"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave together: apart, the second would wait for the first to be acknowledged, 40 ms.
    wbufsize = -1

    def answer(self, status: int, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Issuer(Handler):
    count = 0
    ahead = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        Issuer.count += 1
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        life, self.ahead = int(query.get("life", ["20"])[0]), int(query.get("ahead", ["0"])[0])
        if not self.headers.get("authorization", "").startswith("Bearer planted-boot-"):
            return self.answer(401, {"error": "no bootstrap secret"})
        self.answer(200, {"access_token": f"{TOKEN}-{os.getpid()}-{Issuer.count}", "expires_in": life})

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() + self.ahead)


class Upstream(Handler):
    def do_GET(self) -> None:
        credential = self.headers.get("authorization", "")
        kind = "token" if TOKEN in credential else "key" if "planted-key" in credential else "none"
        address = urllib.parse.urlsplit(self.path)
        if kind == "none" or address.path == "/refused":
            return self.answer(401, {"error": f"a {kind} will not do"})
        if address.path == "/quick":
            # The end of the key tells which key it is, and no more of it.
            return self.answer(200, {"credential": kind, "end": credential[-4:]})
        query = urllib.parse.parse_qs(address.query)
        end, file = time.monotonic() + float(query.get("seconds", ["600"])[0]), query.get("until", ["/nowhere"])[0]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        number = 0
        try:
            while time.monotonic() < end and not os.path.exists(file):
                self.chunk(f"data: {number}\n\n".encode())
                number += 1
                time.sleep(0.1)
            self.chunk(b"data: done\n\n")
            self.chunk(b"")
        except OSError:  # the caller has left
            self.close_connection = True

    def chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


if __name__ == "__main__":
    handler = {"issuer": Issuer, "upstream": Upstream}[sys.argv[1]]
    server = Server(("127.0.0.1", int(sys.argv[2])), handler)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    server.serve_forever()
