# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""What happens to an agent in full use: quick calls and streams of 10 s on both sockets, and nobody is refused."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import uuid

from scene import CONFIGURATION, KEYS, RESULT, ROUTES, UNIT, Scene, expect

BROKEN = CONFIGURATION.replace("chain:", "chian:")


def reload(scene: Scene) -> None:
    """a reload under load refuses nobody"""
    scene.under_load("reload", lambda: scene.run("systemctl", "reload", UNIT))


def restart(scene: Scene) -> None:
    """a restart under load refuses nobody"""
    scene.under_load("restart", lambda: scene.run("systemctl", "restart", UNIT))
    memory = re.search(r"VmRSS:\s+(\d+) kB", scene.run("cat", f"/proc/{scene.process()}/status"))
    if memory:
        scene.figures["resident after a load"] = f"{int(memory[1]) / 1024:.1f} MB"


def crowd(scene: Scene) -> None:
    """calls that come at once go through io_uring inside the sandbox, and without where a drop-in forbids it"""
    for line in (None, "[Service]\nSystemCallFilter=~@aio\n"):
        scene.drop_in(line)
        scene.run("systemctl", "restart", UNIT)
        found = json.loads(scene.run("python3", "/opt/crowd.py", scene.process()))
        expect(found["whole"] == 128, f"{found['whole']} of 128 calls were answered")
        expect((found["calls"] > 0) == (found["permitted"] and line is None), f"with {line!r}: {found}")
        if line is None:
            scene.figures["reads and writes through io_uring, of 128 calls"] = (
                str(found["calls"]) if found["permitted"] else "not permitted on this host")
    scene.drop_in(None)


def upgrade(scene: Scene) -> None:
    """an upgrade under load refuses nobody and leaves the new version running"""
    with tempfile.TemporaryDirectory(prefix="gateway-agent-deb-") as folder:
        scene.machine.push(repackaged(scene.package, "9.9.9", pathlib.Path(folder)), "/root/newer.deb")
    before = scene.process()
    scene.under_load("upgrade", lambda: scene.run("apt-get", "install", "-y", "-q", "/root/newer.deb"))
    expect(scene.process() not in ("0", before), "the upgrade did not restart the service")
    installed = scene.run("dpkg-query", "--show", "--showformat=${Version}", "gateway-agent")
    expect(installed == "9.9.9", f"{installed} is installed")
    scene.run("systemctl", "stop", UNIT)
    scene.run("dpkg", "-i", f"/root/{scene.package.name}")
    expect(not scene.is_active(), "a package that was changed while the service rested has started it")


def repackaged(package: pathlib.Path, version: str, folder: pathlib.Path) -> pathlib.Path:
    """The same package under another version."""
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(folder / "tree")], check=True)
    control = folder / "tree/DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(folder / "tree"),
                    str(folder / "newer.deb")], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder / "tree")
    return folder / "newer.deb"


def kill(scene: Scene) -> None:
    """kill -9 under load: the calls under way are cut visibly, nobody is refused, and it is back at once"""
    def event() -> None:
        before = scene.process()
        scene.run("kill", "-9", before)
        scene.wait("the restart", lambda: scene.process() not in ("0", before) and scene.is_active())
    scene.under_load("kill -9", event, is_kill=True)


def watchdog(scene: Scene) -> None:
    """one stuck loop is enough for the watchdog to end the agent; it comes back, and nobody is refused"""
    scene.drop_in("[Service]\nWatchdogSec=10s\n")
    scene.run("systemctl", "restart", UNIT)
    before = scene.process()
    fed = int(scene.show("WatchdogTimestampMonotonic"))
    scene.wait("feeding beyond two limits", lambda: int(scene.show("WatchdogTimestampMonotonic")) > fed + 20_000_000)
    expect(scene.process() == before, "the watchdog has ended an agent that works")

    def event() -> None:
        holder = scene.machine.start("python3", "/opt/hold.py", before, "worker.1")
        scene.wait("the restart by the watchdog", lambda: scene.process() not in ("0", before))
        scene.wait("the service", scene.is_active)
        holder.wait(timeout=120)
    scene.under_load("watchdog", event, is_kill=True)
    scene.drop_in(None)
    scene.run("journalctl", "--sync")
    out = scene.run("journalctl", "--no-pager", "--unit", UNIT)
    expect("Watchdog timeout" in out, "systemd does not tell of a watchdog timeout")


def broken_reload(scene: Scene) -> None:
    """a broken configuration on reload: the old one stays, and the status says what is wrong"""
    def event() -> None:
        scene.machine.write(ROUTES, BROKEN)
        scene.run("systemctl", "reload", UNIT)
        scene.wait("a status that tells", lambda: "chian" in scene.status())
        scene.machine.write(ROUTES, CONFIGURATION)
        scene.run("systemctl", "reload", UNIT)
        scene.wait("a status without it", lambda: "chian" not in scene.status())
    scene.under_load("broken configuration, reload", event)


def fails_to_start(scene: Scene) -> None:
    scene.run("systemctl", "restart", UNIT, check=False)
    scene.wait("a second attempt to start", lambda: int(scene.show("NRestarts")) >= 2)
    expect(not scene.is_active(), "it runs all the same")


def broken_start(scene: Scene) -> None:
    """a configuration that is broken at the start: callers wait and are served once it is mended"""
    def event() -> None:
        scene.machine.write(ROUTES, BROKEN)
        fails_to_start(scene)
        scene.machine.write(ROUTES, CONFIGURATION)
        scene.wait("the service", scene.is_active)
    scene.under_load("broken configuration, start", event)


def missing_folder(scene: Scene) -> None:
    """the credentials folder missing, then back: callers wait"""
    def event() -> None:
        scene.run("mv", KEYS, f"{KEYS}.away")
        fails_to_start(scene)
        scene.run("mv", f"{KEYS}.away", KEYS)
        scene.wait("the service", scene.is_active)
    scene.under_load("credentials folder missing", event)


def full_disk(scene: Scene) -> None:
    """a full disk below the journal and the state folder: the agent serves, reloads and restarts"""
    folders = ("/var/log/journal", "/var/lib/gateway-agent")

    def event() -> None:
        for folder in folders:
            scene.run("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder)
            scene.run("dd", "if=/dev/zero", f"of={folder}/full", "bs=4k", check=False)
        scene.run("systemctl", "restart", "systemd-journald.service")
        scene.run("systemctl", "reload", UNIT)
        scene.run("systemctl", "restart", UNIT)
    try:
        scene.under_load("full disk", event)
    finally:
        for folder in folders:
            scene.run("umount", "--lazy", folder, check=False)
        scene.run("systemctl", "restart", "systemd-journald.service")
        scene.run("journalctl", "--flush")
        scene.run("systemctl", "restart", UNIT)
        # What is told from now on shall outlive the reboot.
        word = uuid.uuid4().hex
        scene.wait("a journal on the disk", lambda: journal_is_kept(scene, word))


def journal_is_kept(scene: Scene, word: str) -> bool:
    """Whether what is told from now on is written below /var, and not to the memory. The word is nobody else's."""
    scene.run("systemd-cat", f"--identifier={word}", "echo", "written")
    scene.run("journalctl", "--sync")
    return "written" in scene.run("journalctl", "--no-pager", "--quiet", "--directory=/var/log/journal",
                                  f"--identifier={word}", check=False)


def reboot(scene: Scene) -> None:
    """after a reboot under load the sockets listen, the service starts on need, and nobody was refused"""
    scene.run("systemctl", "enable", "load.service")
    scene.begin_load()
    scene.machine.reboot()
    # Written when the load was told to end.
    before = json.loads(scene.machine.read(f"{RESULT}.last"))

    def is_called_anew() -> bool:
        # Until the new run has reported, the file is what the run before the reboot left.
        now = scene.found()
        return now.get("run") != before["run"] and now["counts"].get("quick ok", 0) > 200
    scene.wait("the load after the reboot", is_called_anew)
    after = scene.end_load()
    scene.run("systemctl", "disable", "load.service")
    scene.judge("reboot, before", before)
    scene.judge("reboot, after", after)
