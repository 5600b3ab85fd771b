# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""The running demo, as the clients see it: where the agent listens, and what its gateway says of each call.

`gateway-agent demo --print-json` writes one line of JSON first, and runs until SIGTERM:

    {"agent": {"tcp": "http://127.0.0.1:PORT", "unix": "/path/agent.sock"},
     "routes": {"openai": "/openai/", "anthropic": "/anthropic/"},
     "issuer": "http://127.0.0.1:PORT", "gateway": "http://127.0.0.1:PORT", "configuration": "/path/agent.json5"}

Its gateway verifies the credential of each call and answers with
    x-demo-credential   oidc or api-key: what it accepted
    x-demo-token        the jti of an OIDC token: another after a renewal
    x-demo-fields       the names of the fields that reached it, in lower case, separated by commas
and its model repeats the last message of the user.
"""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import threading
import urllib.request
from typing import Iterator, Mapping

# What a tool must be given, although it is no secret: the agent takes it out.
PLACEHOLDER = "no-secret-here"
MODEL = "demo"
PROMPT = "Say it again, Sam: naïve – 数 – \U0001f980, and a \"quote\"."
# Seconds for anything that must happen sometime; never for how fast it does.
LIMIT = 60

addresses: dict = {}  # the line as it is
program = ""  # that is tested
agent: dict[str, str] = {}
routes: dict[str, str] = {}
_process: subprocess.Popen | None = None


@contextlib.contextmanager
def running(path: str, folder: pathlib.Path) -> Iterator[list[str]]:
    """Runs the demo with what it writes in `folder`; yields the secrets that were planted in it."""
    global _process, program
    program = path
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    key = "planted-key-" + secrets.token_hex(16)
    environment = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_AUTH_TOKEN"))}
    # A proxy of this machine's has no business between a test and its own loopback.
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        environment.pop(name, None), environment.pop(name.upper(), None)
        os.environ.pop(name, None), os.environ.pop(name.upper(), None)
    with open(folder / "stdout", "wb") as stdout, open(folder / "stderr", "wb") as stderr:
        _process = subprocess.Popen([program, "demo", "--print-json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=stderr, env=environment | {"GATEWAY_AGENT_DEMO_KEY": key})
        try:
            watchdog = threading.Timer(LIMIT, _process.kill)
            watchdog.start()
            line = _process.stdout.readline()
            watchdog.cancel()
            try:
                addresses.update(json.loads(line))
            except ValueError:
                raise SystemExit(f"clients: {program} demo --print-json said {line!r} where its addresses were expected; "
                                 f"see {folder}/stderr") from None
            stdout.write(line)
            pump = threading.Thread(target=shutil.copyfileobj, args=(_process.stdout, stdout))
            pump.start()
            agent.update(addresses["agent"])
            routes.update(addresses["routes"])
            yield [key]
        finally:
            if _process.poll() is None:
                _process.kill()
            _process.wait()
        pump.join()


def stop() -> int:
    """SIGTERM, and the exit status that comes of it."""
    _process.send_signal(signal.SIGTERM)
    try:
        return _process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        return -1


def save_public_pages(folder: pathlib.Path) -> None:
    """What the agent tells of itself to all who may call it, for the search for secrets."""
    for page in ("status", "metrics"):
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"{agent['tcp']}/-/{page}", timeout=LIMIT) as answer:
                (folder / page).write_bytes(answer.read())


def url(route: str, path: str = "") -> str:
    return agent["tcp"] + routes[route] + path


def credential_of(fields: Mapping[str, str]) -> str:
    """What the gateway accepted; fails if the placeholder, or a second credential, came that far."""
    received = fields["x-demo-fields"].split(",")
    carriers = [name for name in received if name in ("authorization", "x-api-key", "proxy-authorization", "cookie")]
    assert len(carriers) == 1, f"the gateway got {carriers}"
    return fields["x-demo-credential"]
