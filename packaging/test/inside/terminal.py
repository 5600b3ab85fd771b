# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""terminal.py WORD COMMAND... - runs a command on a terminal of its own until it says the word, ends it, and prints all."""

import os
import pty
import signal
import sys

word, command = sys.argv[1].encode(), sys.argv[2:]
process, terminal = pty.fork()
if process == 0:
    os.execvp(command[0], command)
told = b""
try:
    while word not in told:
        told += os.read(terminal, 4096)
except OSError:  # it has ended by itself
    pass
os.kill(process, signal.SIGTERM)
print(told.decode(errors="replace"), end="")
