# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""What systemd and an administrator do with the units."""

import json
import re
import time

from scene import SOCKETS, TOKEN, UNIT, Scene, expect

REFUSED = [
    ("gateway-agent-http.socket", "ListenStream=0.0.0.0:4748", "where other hosts reach it; set ListenStream=127.0.0.1"),
    ("gateway-agent-http.socket", "ListenDatagram=127.0.0.1:4748", "is no listening stream socket; its unit needs ListenStream="),
    ("gateway-agent-http.socket", "ListenStream=/run/odd.sock\nNoDelay=no", "which is no TCP socket; set ListenStream=127.0.0.1:4748"),
    ("gateway-agent.socket", "ListenStream=127.0.0.1:4750", "which is no Unix socket; set ListenStream=/run/gateway-agent"),
]


def drain(scene: Scene) -> None:
    """a stream outlasts TimeoutStopSec=, as the agent asks for time; one over the drain limit is cut visibly and counted"""
    scene.drop_in("[Service]\nTimeoutStopSec=10s\n")
    with scene.stream() as stream:
        scene.run("systemctl", "restart", "--no-block", UNIT)
        scene.wait("the stop", lambda: scene.show("ActiveState") == "deactivating")
        end = int(scene.show("ActiveExitTimestampMonotonic")) + 12_000_000
        scene.wait("the end of TimeoutStopSec=", lambda: time.monotonic_ns() // 1000 > end)
    out = stream.communicate(timeout=120)[0]
    expect("whole" in out, f"a stream within the drain limit was not let finish: {out}")
    scene.wait("the service", scene.is_active)
    scene.drop_in(None)
    scene.settings('{ timeouts: { drain: "1s" } }')
    scene.run("systemctl", "restart", UNIT)
    with scene.stream() as stream:
        scene.run("systemctl", "restart", UNIT)
        out = stream.communicate(timeout=120)[0]
    expect("cut" in out, f"a stream over the drain limit was not cut visibly: {out}")
    cut = scene.entries("GATEWAY_EVENT=calls-cut")
    expect(cut and cut[-1]["GATEWAY_CONNECTIONS"] == "1", f"cut calls are not counted: {cut}")
    scene.settings(None)
    scene.run("systemctl", "restart", UNIT)


def notify(scene: Scene) -> None:
    """systemd hears of a stop and of a reload from the agent itself; an agent without anybody to tell serves all the same"""
    with scene.stream() as stream:
        # Not systemd's signal: that the agent stops is known by its word alone.
        scene.run("kill", "-TERM", scene.process())
        scene.wait("the word of stopping", lambda: scene.show("ActiveState") == "deactivating")
        scene.wait("a status of draining", lambda: "letting 1 call under way finish" in scene.status())
    expect("whole" in stream.communicate(timeout=120)[0], "the stream was not let finish")
    scene.wait("the end", lambda: not scene.is_active())
    expect(scene.credential() == "token", "the next call did not get through")
    version = int(re.search(r"systemd (\d+)", scene.run("systemctl", "--version"))[1])
    if version >= 253:
        # Such a reload ends when RELOADING=1 has come, with a time after its signal, and then READY=1.
        scene.drop_in("[Service]\nType=notify-reload\nExecReload=\nTimeoutStartSec=60s\n")
        scene.run("systemctl", "restart", UNIT)
        scene.run("systemctl", "reload", UNIT)
    scene.drop_in("[Service]\nType=exec\nNotifyAccess=none\nWatchdogSec=0\nEnvironment=NOTIFY_SOCKET=/run/nobody\n")
    scene.run("systemctl", "restart", UNIT)
    expect(scene.credential() == "token", "an agent that cannot tell systemd of itself does not serve")
    scene.run("systemctl", "reload", UNIT)
    expect(scene.credential() == "token", "an agent that cannot tell systemd of itself does not serve after a reload")
    scene.drop_in(None)
    scene.run("systemctl", "restart", UNIT)


def refused_sockets(scene: Scene) -> None:
    """a socket that is public, a datagram one, or not of its name's family is refused with a sentence and a repair"""
    for unit, setting, sentence in REFUSED:
        scene.run("systemctl", "stop", UNIT, *SOCKETS)
        scene.drop_in(f"[Socket]\nListenStream=\n{setting}\n", unit=unit)
        scene.run("systemctl", "start", *SOCKETS)
        scene.run("systemctl", "start", "--no-block", UNIT)
        scene.wait(f"the refusal of {setting}", lambda: sentence in scene.status())
        scene.run("systemctl", "stop", UNIT, *SOCKETS)
        scene.drop_in(None, unit=unit)
    scene.run("systemctl", "start", *SOCKETS)
    expect(scene.credential("tcp") == "token", "the port does not serve after the repair")


def port_off(scene: Scene) -> None:
    """the port can be switched off by itself, and on again"""
    scene.run("systemctl", "stop", UNIT)
    scene.run("systemctl", "disable", "--now", "gateway-agent-http.socket")
    expect(scene.credential("unix") == "token", "the Unix socket does not serve alone")
    expect(not scene.is_active("gateway-agent-http.socket"), "the port came back by itself")
    scene.run("systemctl", "stop", UNIT)
    scene.run("systemctl", "enable", "--now", "gateway-agent-http.socket")
    expect(scene.credential("tcp") == "token", "the port does not serve after it was switched on again")


def lines(scene: Scene) -> None:
    """the log is JSON lines on request, plain lines on a terminal, and fields of the journal otherwise"""
    scene.machine.write("/opt/terminal.json5", """{
        listen: { tcp: "127.0.0.1:4760" }, credentials: { key: { source: "env", name: "X", kind: "key" } } }""")
    out = scene.run("timeout", "120", "python3", "/opt/terminal.py", "routes=0", "gateway-agent", "serve", "--config",
                    "/opt/terminal.json5")
    expect(re.search(r"(?m)^\S+Z info  serving listeners=\S+", out), f"on a terminal it is told as {out}")
    scene.settings('{ log: { format: "json" } }')
    scene.run("systemctl", "restart", UNIT)
    process = scene.process()
    expect(scene.credential() == "token", "no call got through")
    lines: list[dict] = []

    def has_call() -> bool:
        lines[:] = [json.loads(entry["MESSAGE"]) for entry in scene.entries(f"_PID={process}")]
        return any(line["message"] == "call" for line in lines)
    scene.wait("a call among the lines", has_call)
    for line in lines:
        expect({"time", "level", "message"} <= set(line), f"a line lacks a field: {line}")
    call = next(line for line in lines if line["message"] == "call")
    expect(call["status"] == 200 and call["route"] == "/fake/", f"the call is told as {call}")
    scene.settings(None)
    scene.run("systemctl", "restart", UNIT)


def one_person(scene: Scene) -> None:
    """one person's agent: its own sockets, the tools' programs wherever they were installed, lingering"""
    scene.run("useradd", "--create-home", "dev")
    # logind wants to know its caller's control group, which who enters the machine from outside does not have.
    scene.run("systemd-run", "--quiet", "--wait", "loginctl", "enable-linger", "dev")
    number = scene.run("id", "-u", "dev").strip()
    # Where npm, an installer for one person, and one for all put them.
    tools = {"vercel": "/home/dev/.npm-global/bin", "coder": "/home/dev/.local/bin", "gh": "/usr/local/bin"}
    for tool, folder in tools.items():
        scene.machine.write(f"{folder}/{tool}", f"#!/bin/sh\necho {TOKEN}-of-{tool}\n", mode=0o755)
    scene.machine.write("/home/dev/.config/gateway-agent/agent.json5", json.dumps({
        "timeouts": {"credentialWait": "60s"},
        "credentials": {tool: {"source": "exec", "command": [tool]} for tool in tools},
        "routes": {f"/{tool}/": {"upstream": "http://127.0.0.1:9002/", "chain": [tool]} for tool in tools}}))
    scene.run("chown", "-R", "dev:dev", "/home/dev")

    def user(*command: str, check: bool = True) -> str:
        return scene.run(
            "runuser", "-u", "dev", "--", "env", f"XDG_RUNTIME_DIR=/run/user/{number}", *command, check=check)

    def is_up() -> bool:
        return user("systemctl", "--user", "is-system-running", check=False).strip() in ("running", "degraded")
    scene.wait("the person's manager", is_up)
    user("systemctl", "--user", "enable", "--now", *SOCKETS)
    try:
        for family, where in [("unix", f"/run/user/{number}/gateway-agent/agent.sock"), ("tcp", "4749")]:
            for tool in tools:
                out = user("python3", "/opt/get.py", family, f"/{tool}/quick", where)
                expect('"token"' in out and tool[-4:] in out, f"{tool} over {family}: {out}")
        out = scene.run("runuser", "-u", "caller", "--", "python3", "/opt/get.py", "tcp", "/gh/quick", "4749")
        expect(out.startswith("403"), f"somebody else was answered {out}")
    finally:
        user("systemctl", "--user", "disable", "--now", *SOCKETS, check=False)
        user("systemctl", "--user", "stop", UNIT, check=False)
        scene.run("systemd-run", "--quiet", "--wait", "loginctl", "disable-linger", "dev")
        scene.run("rm", "-rf", "/home/dev/.config")


def idle(scene: Scene) -> None:
    """an agent that nobody calls ends, and the next caller starts it"""
    scene.settings('{ idleExit: "2s" }')
    scene.run("systemctl", "restart", UNIT)
    scene.wait("the end of an idle agent", lambda: not scene.is_active())
    scene.wait("a word of it in the journal", lambda: scene.entries("GATEWAY_EVENT=idle"))
    expect(scene.credential() == "token", "the next call did not get through")
    scene.settings(None)
    scene.run("systemctl", "restart", UNIT)
