# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""scene.py - what the steps are written in: one machine with the package, and the questions asked of it.

Nothing here waits for a fixed time: a step waits for what it has caused, with a bound that only a broken agent or a
stuck machine reaches.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import time
import uuid

import machine as machines

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
UNIT = "gateway-agent.service"
SOCKETS = ("gateway-agent.socket", "gateway-agent-http.socket")
KEYS = "/etc/gateway-agent/credentials"
RESULT = "/var/lib/load/result.json"
DROP_INS = "/etc/gateway-agent/conf.d"
ROUTES = f"{DROP_INS}/test.json5"
# What is looked for at the end, in everything that anybody could read. Each source has one.
KEY, NEXT_KEY, SEALED = "planted-key-5e0c9a71-AAAA", "planted-key-5e0c9a71-BBBB", "planted-key-5e0c9a71-CCCC"
FILE, VARIABLE = "planted-key-5e0c9a71-DDDD", "planted-key-5e0c9a71-EEEE"
BOOTSTRAP = "planted-boot-77aa10c4"
# In every token that the issuer of world.py gives.
TOKEN = "planted-token-b31f07c2"
MARKERS = (KEY, NEXT_KEY, SEALED, FILE, VARIABLE, BOOTSTRAP, TOKEN)
CONFIGURATION = """
{
  allow: { groups: ["gateway-agent"] },
  // A fetch may take nearly as long as the token lives: longer than anything but a broken issuer or agent takes.
  timeouts: { drain: "60s", credentialWait: "30s" },
  credentials: {
    token: { source: "http", method: "POST", url: "http://127.0.0.1:9001/token", body: "x", timeout: "20s",
             headers: { authorization: "Bearer ${systemd-credential:key_bootstrap}" },
             field: "/access_token", expiryField: "/expires_in" },
    kept: { source: "http", method: "POST", url: "http://127.0.0.1:9001/token?life=3600", timeout: "20s", cache: "state",
            headers: { authorization: "Bearer ${systemd-credential:key_bootstrap}" },
            field: "/access_token", expiryField: "/expires_in" },
    refused: { source: "http", method: "POST", url: "http://127.0.0.1:9001/token?life=3500", timeout: "20s",
               headers: { authorization: "Bearer ${systemd-credential:key_bootstrap}" },
               field: "/access_token", expiryField: "/expires_in" },
    ahead: { source: "http", method: "POST", url: "http://127.0.0.1:9001/token?life=3600&ahead=60", timeout: "20s",
             headers: { authorization: "Bearer ${systemd-credential:key_bootstrap}" },
             field: "/access_token", expiryField: "/expires_in" },
    // What systemd passed is the agent's alone: a command that took the sockets for its own would shut them.
    command: { source: "exec", command: ["/bin/sh", "-c", 'test -z "$LISTEN_FDS$LISTEN_PID" && echo "$PLANTED"'],
               maxAge: "5m",
               environment: { PLANTED: "${file:/opt/by-command}" } },
    key: { source: "systemd-credential", name: "key_fake", kind: "key" },
    sealed: { source: "systemd-credential", name: "sealed_fake", kind: "key" },
    file: { source: "file", path: "/opt/by-file", kind: "key" },
    variable: { source: "env", name: "PLANTED_KEY", kind: "key" },
  },
  routes: {
    "/fake/": { upstream: "http://127.0.0.1:9002/", chain: ["token", "key"], showCredential: true },
    "/refused/": { upstream: "http://127.0.0.1:9002/", chain: ["refused"] },
    "/ahead/": { upstream: "http://127.0.0.1:9002/", chain: ["ahead"] },
    "/kept/": { upstream: "http://127.0.0.1:9002/", chain: ["kept"] },
    "/command/": { upstream: "http://127.0.0.1:9002/", chain: ["command"] },
    "/key/": { upstream: "http://127.0.0.1:9002/", chain: ["key"] },
    "/sealed/": { upstream: "http://127.0.0.1:9002/", chain: ["sealed"] },
    "/file/": { upstream: "http://127.0.0.1:9002/", chain: ["file"] },
    "/variable/": { upstream: "http://127.0.0.1:9002/", chain: ["variable"] },
  },
}
"""


class Failed(Exception):
    """A promise that does not hold, as a sentence."""


def expect(condition: object, sentence: str) -> None:
    if not condition:
        raise Failed(sentence)


class Scene:
    def __init__(self, machine: machines.Machine, package: pathlib.Path) -> None:
        self.machine, self.package = machine, package
        self.figures: dict[str, str] = {}

    def run(self, *command: str, check: bool = True) -> str:
        return self.machine.enter(*command, check=check).stdout

    def wait(self, what: str, condition, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not condition():
            expect(time.monotonic() < end, f"{what} has not happened within {seconds} s: {self.status()}")
            time.sleep(0.05)

    # Calls

    def get(self, family: str, path: str, user: str = "root") -> tuple[int, float, str]:
        """Status, milliseconds to the first byte, and body of one call."""
        out = self.run("runuser", "-u", user, "--", "python3", "/opt/get.py", family, path)
        status, first, body = out.split(" ", 2)
        return int(status), float(first), body.strip()

    def upstream(self, route: str = "/fake", family: str = "unix") -> dict:
        """What the upstream says of a call on a route: which credential it saw, and its last letters."""
        status, _, body = self.get(family, f"{route}/quick")
        expect(status == 200, f"{route} answered {status}: {body}")
        return json.loads(body)

    def credential(self, family: str = "unix", route: str = "/fake") -> str:
        return self.upstream(route, family)["credential"]

    # What systemd says

    def is_active(self, unit: str = UNIT) -> bool:
        return self.run("systemctl", "is-active", unit, check=False).strip() == "active"

    def show(self, name: str) -> str:
        return self.run("systemctl", "show", "--value", "--property", name, UNIT).strip()

    def status(self) -> str:
        return self.show("StatusText")

    def process(self) -> str:
        return self.show("MainPID")

    def entries(self, *matches: str) -> list[dict]:
        # What was sent to the journal may not be in it yet.
        self.run("journalctl", "--sync")
        out = self.run("journalctl", "--no-pager", "--output=json", "--unit", UNIT, *matches)
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def drop_in(self, text: str | None, unit: str = UNIT, name: str = "test") -> None:
        path = f"/etc/systemd/system/{unit}.d/{name}.conf"
        if text is None:
            self.run("rm", "-f", path)
        else:
            self.machine.write(path, text)
        self.run("systemctl", "daemon-reload")

    def settings(self, text: str | None) -> None:
        """One more file of the configuration; nothing takes it away."""
        path = f"{DROP_INS}/z.json5"
        if text is None:
            self.run("rm", "-f", path)
        else:
            self.machine.write(path, text)

    # Load

    def found(self) -> dict:
        out = self.run("cat", RESULT, check=False)
        return json.loads(out) if out.startswith("{") else {"counts": {}, "progress": {}}

    def advance(self, **least: int) -> None:
        """Waits until each kind of call has got so much further on both sockets."""
        before = self.found()["progress"]

        def is_further() -> bool:
            now = self.found()["progress"]
            return all(now.get(key, 0) >= before.get(key, 0) + count
                       for kind, count in least.items() for key in (f"{kind} unix", f"{kind} tcp"))
        self.wait(f"an answer to {' and '.join(least)} calls on both sockets", is_further)

    def begin_load(self) -> None:
        self.run("rm", "-f", RESULT, f"{RESULT}.last")
        self.run("systemctl", "start", "load.service")
        self.advance(quick=10, stream=2)

    def end_load(self) -> dict:
        self.run("systemctl", "stop", "load.service")
        return json.loads(self.machine.read(RESULT))

    def under_load(self, name: str, event, is_kill: bool = False) -> None:
        """Lets an event happen to an agent in full use; nobody may be refused, reset, or be given half an answer.

        With `is_kill` the process is killed once: the kernel closes its connections, so the calls that it has in hand
        at that moment end before they are whole. Each is counted, must be seen to be cut by its caller, and there are no
        more of them than the load has callers. Refused and half are none, as always.
        """
        self.begin_load()
        event()
        self.advance(quick=50)
        self.judge(name, self.end_load(), is_kill)

    def judge(self, name: str, found: dict, is_kill: bool = False) -> None:
        counts, examples = found["counts"], found["examples"]
        ended = {what: sum(count for key, count in counts.items() if key.split()[1] == what)
                 for what in ("refused", "reset", "cut", "half", "wrong")}
        lost = ended["reset"] + ended["cut"] if is_kill else 0
        longest = max((value for key, value in found["longest"].items() if key.startswith("quick")), default=0)
        kinds = ", ".join(f"{count} {key}" for key, count in sorted(counts.items()) if key.split()[1] != "ok")
        in_hand = f" (in hand at the kill: {kinds or 'none'})" if is_kill else ""
        self.figures[name] = (f"{sum(counts.values())} calls: " +
                              ", ".join(f"{count} {what}" for what, count in ended.items()) +
                              f"{in_hand}; longest wait of a quick one {longest} s")
        expect(counts.get("quick ok", 0) > 20, f"the load did not get through: {counts} {examples}")
        expect(sum(ended.values()) == lost, f"{ended}; {examples}")
        expect(lost <= found["callers"], f"{lost} calls were cut, but the load has {found['callers']} callers; {examples}")

    @contextlib.contextmanager
    def stream(self):
        """A stream of its own that has begun, and goes on for the length of the block; it says then how it ended."""
        file = f"/opt/go-{uuid.uuid4().hex}"
        process = self.machine.start("python3", "/opt/stream.py", file, stdout=subprocess.PIPE, text=True)
        try:
            expect(process.stdout.readline() == "begun\n", "a stream has not begun")
            yield process
        finally:
            self.run("touch", file)
