# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""The two ends of a measurement: the upstream, and the load. Compiled at need."""

import json
import re
import subprocess

from .machine import LOAD_CORE
from .paths import BUILT, TOOLS
from .process import Process, wait_until


def compiled(name: str, *flags: str, suffix: str = "") -> str:
    """A program of tools/, compiled if its source is newer."""
    source = TOOLS / f"{name}.c"
    built = BUILT / f"{name}{suffix}"
    BUILT.mkdir(parents=True, exist_ok=True)
    newest = max(file.stat().st_mtime for file in (source, TOOLS / "common.h"))
    if not built.exists() or built.stat().st_mtime < newest:
        subprocess.run(
            ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(built), str(source), *flags], check=True)
    return str(built)


def make_certificate(folder):
    """A certificate for localhost that signs itself; `ca.pem` and `key.pem`."""
    if (folder / "ca.pem").exists():
        return
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")],
        check=True, capture_output=True)


class Upstream(Process):
    """`port` speaks plain text, `tls_port` TLS."""

    def __init__(self, folder, core=LOAD_CORE, interval_ms=1000):
        make_certificate(folder)
        log = folder / "upstream.log"
        log.unlink(missing_ok=True)
        program = compiled("upstream", "-lssl", "-lcrypto")
        super().__init__([program, folder / "ca.pem", folder / "key.pem", interval_ms], core, log)
        wait_until(lambda: log.read_text().count("\n") >= 2, what="upstream")
        self.port, self.tls_port = (int(line) for line in log.read_text().splitlines()[:2])


def target(port=None, socket=None) -> list[str]:
    return ["--unix", str(socket)] if socket else ["--port", str(port)]


class Load:
    """One run of the load generator."""

    def __init__(self, *arguments, core=LOAD_CORE, commanded=False):
        command = ["taskset", "-c", str(core), compiled("load"), *(str(argument) for argument in arguments)]
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE if commanded else subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def wait_for(self, word: str):
        line = self.child.stdout.readline().strip()
        if line != word:
            raise RuntimeError(f"load said {line!r} and not {word!r}: {self.child.stderr.read()}")

    def tell(self, command: str):
        self.child.stdin.write(command)
        self.child.stdin.flush()

    def result(self) -> dict:
        output, errors = self.child.communicate(timeout=150)
        if self.child.returncode != 0:
            raise RuntimeError(f"load failed: {errors.strip()[-500:]} {output.strip()}")
        return json.loads(output.strip().splitlines()[-1])


def load(*arguments, core=LOAD_CORE) -> dict:
    return Load(*arguments, core=core).result()


def wrk(url: str, connections: int, seconds: int, core=LOAD_CORE, direct=False) -> dict:
    """The generator that everybody knows, for TCP. The same request as that of tools/load.c."""
    credential = "injected-credential" if direct else "placeholder"
    headers = ["Accept: application/json", "Accept-Encoding: gzip, deflate", "User-Agent: bench/1",
               f"Authorization: Bearer {credential}"] + ([] if direct else ["X-Api-Key: placeholder"])
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for header in headers:
        command += ["-H", header]
    text = subprocess.run(command + [url], capture_output=True, text=True, timeout=seconds + 30, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"wrk: {text}")
    count, spent = re.search(r"(\d+) requests in ([\d.]+)s", text).groups()
    return {"answers": int(count), "seconds": float(spent)}
