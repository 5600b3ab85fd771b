# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""The machine that measures, and the versions of what is measured."""

import os
import platform
import re
import subprocess

from .paths import AGENT, BUILT

CORES = sorted(os.sched_getaffinity(0))
# What is measured has a core for itself; load and upstream share the other.
MEASURED_CORE = CORES[0]
LOAD_CORE = CORES[1] if len(CORES) > 1 else CORES[0]
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.M)
    return found.group(1) if found else platform.processor()


def first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return "not there"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "no answer"


def versions() -> dict[str, str]:
    def number(text: str) -> str:
        found = re.search(r"\d+\.\d+(\.\d+)*", text)
        return found.group(0) if found else text

    return {
        "gateway-agent": first_line("git", "-C", str(AGENT.parent.parent.parent), "describe", "--always", "--dirty"),
        "Swift": number(first_line("swift", "--version")),
        "nginx": number(first_line("nginx", "-v")),
        "HAProxy": number(first_line("haproxy", "-v")),
        "Envoy": number(first_line(str(BUILT / "envoy" / "bin" / "envoy"), "--version")),
        "Caddy": number(first_line("caddy", "version")),
        "OpenSSL": number(first_line("openssl", "version")),
        "kernel": platform.release(),
    }


def description() -> str:
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE / 2**30
    return f"{processor()}, {len(CORES)} cores, {memory:.0f} GiB, Linux {platform.release()}"
