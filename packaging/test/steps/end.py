# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""What is left of it all: the journal, no secret anywhere, and after a purge nothing."""

import pathlib
import subprocess
import sys
import tempfile

from scene import BOOTSTRAP, MARKERS, SOCKETS, TOP, UNIT, Scene, expect

STATE = "/var/lib/gateway-agent"
# Every moment of life, and the fields of the journal in which it is told.
STORY = {
    "serving": "LISTENERS ROUTES THREADS", "reloaded": "ROUTES CREDENTIALS NEEDS_RESTART", "reload-failed": "REASON",
    "configuration-refused": "PROBLEM", "start-failed": "ERROR", "idle": "LIMIT", "draining": "LIMIT",
    "calls-cut": "CONNECTIONS", "stopped": "", "chain-changed": "ROUTE CHANGE CREDENTIAL CAUSE",
    **{f"credential-{change}": "CREDENTIAL CHANGE" for change in ("received", "failing", "recovered", "ended", "rejected")},
    "clock-skew": "CREDENTIAL CHANGE",
}


def journal(scene: Scene) -> None:
    """the journal tells the story in fields, each moment with its number and its entry in the catalogue"""
    entries = scene.entries()
    seen = {entry.get("GATEWAY_EVENT") for entry in entries} - {None}
    expect(set(STORY) == seen, f"moments that are not told, or not known here: {sorted(set(STORY) ^ seen)}")
    for entry in entries:
        if event := entry.get("GATEWAY_EVENT"):
            fields = {"MESSAGE_ID", "PRIORITY", *(f"GATEWAY_{name}" for name in STORY[event].split())}
            expect(fields <= set(entry), f"fields of {event}: {sorted(entry)}")
    failing = scene.entries("GATEWAY_EVENT=credential-failing")
    expect(all(entry["PRIORITY"] == "4" and entry["GATEWAY_CREDENTIAL"] for entry in failing), f"{failing}")
    known = scene.run("journalctl", "--list-catalog")
    for entry in entries:
        if number := entry.get("MESSAGE_ID"):
            expect(number in known or "GATEWAY_EVENT" not in entry, f"the catalogue does not know {number}")
    explained = scene.run("journalctl", "--no-pager", "-x", "--unit", UNIT, "GATEWAY_EVENT=reload-failed")
    expect("gateway-agent check --offline && systemctl reload" in explained, explained[-800:])
    noise = scene.run("journalctl", "--no-pager")
    expect("thread priority" not in noise, "libdispatch complains in the journal")


def search(folder: pathlib.Path, *markers: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(TOP / "scripts/check-secrets"), str(folder), *markers],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def secrets(scene: Scene) -> None:
    """secrets planted in every source are nowhere: journal, unit, environment, command line, pages, state folder"""
    for route in ("/fake", "/kept", "/command", "/key", "/sealed", "/file", "/variable"):
        scene.credential(route=route)
    process = scene.process()
    scene.run("journalctl", "--sync")
    with tempfile.TemporaryDirectory(prefix="gateway-agent-secrets-") as name:
        folder = pathlib.Path(name)
        for file, command in {
            "journal": ["journalctl", "--output=export", "--all"],
            "show": ["systemctl", "show", "--all", UNIT, *SOCKETS],
            "environ": ["cat", f"/proc/{process}/environ"],
            "cmdline": ["cat", f"/proc/{process}/cmdline"],
            "status": ["gateway-agent", "status", "--json"],
            "metrics": ["python3", "/opt/get.py", "unix", "/-/metrics"],
            "state": ["sh", "-c", f"cat {STATE}/*"],
        }.items():
            content = scene.machine.enter(*command, encoding="latin-1").stdout
            expect(content, f"there is nothing to search in {file}")
            (folder / file).write_text(content, encoding="latin-1")
        expect("PLANTED_KEY=" in (folder / "environ").read_text(encoding="latin-1"), "the variable was never set")
        result = search(folder, *MARKERS)
        expect(result.returncode == 0, result.stdout)
        # The search finds what is there: the token endpoint hands a token out.
        (folder / "control").write_text(scene.get("unix", "/-/token/token")[2])
        expect(search(folder, *MARKERS).returncode == 1, "the search does not find a token that is there")


def core(scene: Scene) -> None:
    """a crash leaves no core, even where the unit allows one; another program's crash does, in the same place"""
    pattern = scene.run("cat", "/proc/sys/kernel/core_pattern").strip()
    place = f"--property=WorkingDirectory={STATE}"

    def cores() -> str:
        return scene.run("find", "/", "-ignore_readdir_race", "-xdev",
                         "(", "-name", "core", "-o", "-name", "core.*", ")", "-type", "f", "-size", "+20k",
                         "-not", "-path", "/usr/*", "-not", "-path", "/proc/*").strip()
    expect(not cores(), f"there is a core already: {cores()}")
    scene.run("systemd-run", "--quiet", "--wait", "--uid=gateway-agent", place, "--property=LimitCORE=infinity",
              f"--setenv=X={BOOTSTRAP}", "python3", "-c", "import os; os.abort()", check=False)
    control = cores()
    scene.figures["core of another program"] = f"{control or 'none'} (core_pattern {pattern})"
    if not pattern.startswith(("|", "/")):
        expect(control.startswith(STATE), f"a program that crashes in {STATE} leaves no core there, but: {control}")
        with tempfile.TemporaryDirectory(prefix="gateway-agent-core-") as name:
            (pathlib.Path(name) / "core").write_bytes(scene.machine.read(control))
            expect(search(pathlib.Path(name), BOOTSTRAP).returncode == 1, "a core does not hold what its program held")
        scene.run("rm", control)
    for limit in ("", "LimitCORE=infinity\n"):
        scene.drop_in(f"[Service]\nWorkingDirectory={STATE}\n{limit}")
        for name in ("SEGV", "ABRT"):
            scene.run("systemctl", "restart", UNIT)
            scene.credential()
            process = scene.process()
            scene.run("kill", f"-{name}", process)
            scene.wait(f"the end of the process by {name}", lambda: scene.process() not in ("0", process))
            expect(not cores(), f"there is a core after {name} with \"{limit.strip()}\": {cores()}")
    scene.drop_in(None)
    scene.run("systemctl", "restart", UNIT)


def purge(scene: Scene) -> None:
    """removed and purged, nothing is left but the system user"""
    scene.run("systemctl", "stop", "load.service", check=False)
    scene.run("apt-get", "purge", "-y", "-q", "gateway-agent")
    scene.run("sh", "-c", "rm -rf /etc/systemd/system/gateway-agent*.d")
    for unit in (UNIT, *SOCKETS):
        expect(not scene.is_active(unit), f"{unit} is active after the purge")
    left = scene.run("sh", "-c", "find / -ignore_readdir_race -xdev -name '*gateway-agent*' -not -path '/proc/*' "
                     "-not -path '/root/*' -not -path '/sys/*' -not -path '/tmp/*'").split()
    expect(not left, f"the purge left {left}")
    expect("gateway-agent" in scene.run("cat", "/etc/passwd"), "the system user is gone")
