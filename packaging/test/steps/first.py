# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""From the installation to a first call, and what the agent does with its credentials."""

import json
import re
import statistics

from scene import (BOOTSTRAP, CONFIGURATION, DROP_INS, FILE, HERE, KEY, KEYS, NEXT_KEY, ROUTES, SEALED, SOCKETS, TOKEN,
                   TOP, UNIT, VARIABLE, Scene, expect)

WORLD = """[Unit]
Before={unit}
[Service]
Type=notify
ExecStart=/usr/bin/python3 /opt/world.py {name} {port}
[Install]
WantedBy=multi-user.target
"""
# Behind the agent at the start, before it at the end, as a program that depends on the agent would be.
LOAD = """[Unit]
After={units} upstream.service issuer.service
[Service]
User=caller
StateDirectory=load
TimeoutStopSec=60s
ExecStart=/usr/bin/python3 /opt/load.py /var/lib/load/result.json 10
[Install]
WantedBy=multi-user.target
"""

BROUGHT = [
    "/usr/share/man/man8/gateway-agent.8.gz", "/usr/share/man/man5/gateway-agent.json5.5.gz",
    "/usr/share/bash-completion/completions/gateway-agent", "/usr/share/zsh/vendor-completions/_gateway-agent",
    "/usr/share/fish/vendor_completions.d/gateway-agent.fish", "/usr/share/gateway-agent/gateway-agent.schema.json",
    "/usr/lib/systemd/catalog/gateway-agent.catalog", "/usr/lib/sysusers.d/gateway-agent.conf",
    *(f"/usr/lib/systemd/user/{unit}" for unit in (UNIT, *SOCKETS)),
    *(f"/usr/share/doc/gateway-agent/examples/{name}.json5" for name in ("vercel", "coder", "anthropic", "openai")),
]


def commands(document: str, about: str) -> list[str]:
    """The lines to type of the block of a document that speaks of something, as they stand there."""
    blocks = re.findall(r"```sh\n(.*?)```", (TOP / document).read_text(), re.DOTALL)
    block = next(block for block in blocks if about in block)
    return [line for line in block.splitlines() if line and not line.startswith("#")]


def installed(scene: Scene) -> None:
    """installed as the README has it: sockets listen, the service does not run"""
    scene.machine.push(scene.package, f"/root/{scene.package.name}")
    scene.run("sh", "-c", f"cd /root && {commands('README.md', 'apt install')[0]}")
    for socket in SOCKETS:
        expect(scene.is_active(socket), f"{socket} is not active")
    expect(not scene.is_active(), "the service runs although nobody has called")
    brought = set(scene.run("dpkg-query", "--listfiles", "gateway-agent").split())
    expect(set(BROUGHT) <= brought, f"the package lacks {sorted(set(BROUGHT) - brought)}")
    modes = scene.run("stat", "-c", "%a %U", KEYS, "/etc/gateway-agent/sealed", "/etc/gateway-agent/agent.json5")
    expect(modes.split("\n")[:3] == ["700 root", "700 root", "644 root"], f"modes are {modes}")
    for program in (HERE / "inside").glob("*.py"):
        scene.machine.push(program, f"/opt/{program.name}")
    for name, port in [("issuer", 9001), ("upstream", 9002)]:
        scene.machine.write(f"/etc/systemd/system/{name}.service", WORLD.format(unit=UNIT, name=name, port=port))
    scene.machine.write("/etc/systemd/system/load.service", LOAD.format(units=" ".join((UNIT, *SOCKETS))))
    scene.run("useradd", "caller")
    scene.run("useradd", "stranger")
    scene.run("systemctl", "daemon-reload")
    scene.run("systemctl", "enable", "--now", "issuer.service", "upstream.service")


def smoke(scene: Scene) -> None:
    """the package's own test for autopkgtest passes"""
    scene.machine.push(TOP / "packaging/debian/tests/smoke", "/opt/smoke")
    scene.run("sh", "/opt/smoke")


def empty(scene: Scene) -> None:
    """the default configuration starts on the first connection, serves nothing and says what to do"""
    scene.run("systemctl", "stop", UNIT)
    status, _, body = scene.get("unix", "/fake/quick")
    expect(status == 404, f"a route that nobody configured answered {status}: {body}")
    scene.wait("a status that says what to do", lambda: "add a route" in scene.status())


def as_documented(scene: Scene) -> None:
    """the steps of README and agent.json5, typed as they stand there, end with keys that can be used"""
    def type_in(lines: list[str]) -> None:
        for line in lines:
            line = line.replace("NAME", "caller")
            result = scene.machine.enter("sh", "-c", line, check=False, input=f"{KEY}\n")
            expect(result.returncode == 0, f"`{line}` ends with {result.returncode}: {result.stdout}")
    type_in([line for line in commands("README.md", "apt install")[1:] if not line.startswith("curl ")])
    text = scene.machine.read("/etc/gateway-agent/agent.json5").decode()
    lines = re.findall(r"(?m)^// {8}(\S.*)$", text)
    expect(len(lines) >= 5, f"agent.json5 has no steps: {text}")
    type_in(lines)
    expect("gateway-agent" in scene.run("id", "-nG", "caller"), "the user is not in the group")
    # No way leads to a gateway from here; but the call gets as far as that, with the key.
    for name, path in [("anthropic", "/anthropic/v1/models"), ("vercel-key", "/vercel/v1/models")]:
        status, _, body = scene.get("tcp", path, user="caller")
        expect(status in (502, 504), f"the call of {path} was answered {status}: {body}")
        told = scene.run("gateway-agent", "status")
        row = next((line for line in told.splitlines() if line.startswith(f"{name} ")), "")
        expect("usable" in row, f"the key {name} is not usable: {told}")
    scene.run("sh", "-c", f"rm -f {DROP_INS}/*.json5 {KEYS}/* /etc/gateway-agent/sealed/*")


def first_call(scene: Scene) -> None:
    """the first connection on either socket starts it, and a token of the machine's issuer arrives upstream"""
    scene.run("usermod", "--append", "--groups", "gateway-agent", "caller")
    for path, content in {f"{KEYS}/fake": KEY, f"{KEYS}/bootstrap": BOOTSTRAP}.items():
        scene.machine.write(path, content, mode=0o600)
    for path, content in {"/opt/by-command": f"{TOKEN}-by-command", "/opt/by-file": FILE}.items():
        scene.machine.write(path, content, mode=0o640)
        scene.run("chgrp", "gateway-agent", path)
    scene.machine.write("/etc/gateway-agent/environment", f"PLANTED_KEY={VARIABLE}\n", mode=0o600)
    scene.drop_in("[Service]\nEnvironmentFile=/etc/gateway-agent/environment\n", name="environment")
    scene.machine.write(ROUTES, CONFIGURATION)
    scene.run("gateway-agent", "check", "--offline")
    for family in ("unix", "tcp"):
        scene.run("systemctl", "stop", UNIT)
        expect(not scene.is_active(), "the service runs after its stop")
        found = scene.credential(family)
        expect(found == "token", f"the upstream saw a {found} over {family}")
        # It answers a moment before systemd hears that it is ready.
        scene.wait(f"the start by a connection on {family}", scene.is_active)


def cold_start(scene: Scene) -> None:
    """a cold start by activation answers; how fast is measured"""
    times = []
    for number in range(8):
        scene.run("systemctl", "stop", UNIT)
        status, first, body = scene.get("tcp" if number % 2 else "unix", "/-/healthy")
        expect(status == 200, f"a cold start was answered {status}: {body}")
        times.append(first)
    scene.figures["cold start, first byte"] = (
        f"median {statistics.median(times):.0f} ms, best {min(times):.0f} ms, of {sorted(times)}")


def access(scene: Scene) -> None:
    """who may call is decided by uid, inside the sandbox, on both sockets"""
    number = scene.run("id", "-u", "stranger").strip()
    for family in ("unix", "tcp"):
        status, _, body = scene.get(family, "/fake/quick", user="caller")
        expect(status == 200, f"a member of the group was answered {status} over {family}: {body}")
        status, _, body = scene.get(family, "/fake/quick", user="stranger")
        expect(status == 403 and number in body, f"a stranger was answered {status} over {family}: {body}")


def sources(scene: Scene) -> None:
    """each kind of source works inside the sandbox: command, file, variable, service"""
    for route, kind, end in [("/command", "token", "mand"), ("/file", "key", FILE[-4:]),
                             ("/variable", "key", VARIABLE[-4:]), ("/kept", "token", None)]:
        found = scene.upstream(route)
        expect(found["credential"] == kind and end in (None, found["end"]), f"{route} sent {found}")


def trouble(scene: Scene) -> None:
    """a credential that the upstream refuses, and an issuer with another clock, are told in the journal"""
    status, _, body = scene.get("unix", "/refused/refused")
    expect(status == 401 and "a token will not do" in body, f"the upstream's own 401 came as {status}: {body}")
    expect(scene.credential(route="/ahead") == "token", "the token of an issuer with another clock is not in use")
    for event in ("credential-rejected", "clock-skew"):
        scene.wait(f"a word of {event} in the journal", lambda: scene.entries(f"GATEWAY_EVENT={event}"))
    scene.wait("a status that names it", lambda: "refused is rejected by the upstream" in scene.status())
    # A new process knows nothing of it.
    scene.run("systemctl", "restart", UNIT)


def fallback(scene: Scene) -> None:
    """the key takes over when the issuer stops and the token ends, and identity comes back"""
    expect(scene.credential() == "token", "there is no token that could end")
    scene.run("systemctl", "stop", "issuer.service")
    scene.wait("the fall back to the key", lambda: scene.credential() == "key")
    scene.wait("a status that names the trouble", lambda: "token cannot be had" in scene.status())
    scene.run("systemctl", "start", "issuer.service")
    scene.wait("the return to identity", lambda: scene.credential() == "token")
    line = r"9 routes; \d of 9 credentials usable.*; next renewal \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"

    def tells_no_trouble() -> bool:
        # What nobody calls for is not renewed, and what is being fetched has no next renewal.
        expect(scene.credential() == "token", "the key is in use again")
        return re.fullmatch(line, scene.status()) is not None
    scene.wait("a status without trouble, with the next renewal", tells_no_trouble)


def keys(scene: Scene) -> None:
    """a changed key, and one sealed for this host, are used after a reload"""
    def end(route: str) -> str:
        status, _, body = scene.get("unix", f"{route}/quick")
        return body.split('"end": "')[-1][:4] if status == 200 else f"{status}: {body}"
    expect(end("/key") == KEY[-4:], f"the first key is not in use: {end('/key')}")
    status, _, body = scene.get("unix", "/sealed/quick")
    repair = "systemd-creds encrypt --name=sealed_fake - /etc/gateway-agent/sealed/fake"
    expect(status == 503 and repair in body, f"a key that is not there is answered {status}, without a repair: {body}")
    scene.machine.write(f"{KEYS}/fake", NEXT_KEY, mode=0o600)
    scene.machine.enter("sh", "-c", repair, input=SEALED)
    before = scene.process()
    scene.run("systemctl", "reload", UNIT)
    scene.wait("the use of the changed key", lambda: end("/key") == NEXT_KEY[-4:])
    scene.wait("the use of the sealed key", lambda: end("/sealed") == SEALED[-4:])
    expect(scene.process() == before, "the reload was a restart")
    scene.run("systemctl", "restart", UNIT)
    expect(end("/sealed") == SEALED[-4:], "the sealed key is not in use after a restart")


def kept(scene: Scene) -> None:
    """with a state key made as documented, a token outlives a restart, sealed"""
    for line in commands("docs/credentials.md", "gateway-agent-state-key"):
        scene.run("sh", "-c", line)
    expect(scene.credential(route="/kept") == "token", "no token to keep")
    path = "/var/lib/gateway-agent/kept.sealed"
    scene.wait("a sealed file", lambda: scene.machine.enter("test", "-s", path, check=False).returncode == 0)
    scene.run("systemctl", "stop", "issuer.service")
    scene.run("systemctl", "restart", UNIT)
    expect(scene.credential(route="/kept") == "token", "the kept token is not in use")
    scene.run("systemctl", "start", "issuer.service")
    modes = scene.run("stat", "-c", "%a %U", path, "/var/lib/gateway-agent")
    expect(modes.split("\n")[:2] == ["600 gateway-agent", "700 gateway-agent"], f"modes are {modes}")


def exposure(scene: Scene) -> None:
    """systemd-analyze security finds an exposure of 1.5 at most, and the unit explains each part of it"""
    out = scene.run("systemd-analyze", "security", "--no-pager", "--threshold=15", UNIT, check=False)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", out)
    expect(found, out[-500:])
    scene.figures["exposure"] = found[1]
    expect(float(found[1]) <= 1.5, f"the exposure is {found[1]}")
    table = scene.run("systemd-analyze", "security", "--no-pager", "--json=short", UNIT)
    unit = scene.run("systemctl", "cat", UNIT)
    for row in json.loads(table[table.index("["):table.rindex("]") + 1]):
        name = row["name"].split("=")[0] + "="
        expect(not float(row["exposure"] or 0) or re.search(rf"(?m)^# .*\b{name}", unit),
               f"the unit does not say why {row['name']}: {row['description']}")
