# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""hold.py PROCESS THREAD - stops one thread of a process, as a debugger does, until the process ends."""

import ctypes
import os
import pathlib
import sys

process, name = sys.argv[1:]
thread = next(int(task.name) for task in pathlib.Path(f"/proc/{process}/task").iterdir()
              if (task / "comm").read_text().strip() == name)
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.argtypes = [ctypes.c_long] * 4
if ptrace(16, thread, 0, 0):  # PTRACE_ATTACH
    sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")
while os.WIFSTOPPED(os.waitpid(thread, 0x40000000)[1]):  # __WALL
    pass
