# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""Where things are."""

import pathlib

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent
PROJECT = BENCHMARKS.parent
PEERS = BENCHMARKS / "peers"
TOOLS = BENCHMARKS / "tools"
# All that is made on the way: outside of the repository's files.
BUILT = PROJECT / ".build" / "bench"
AGENT = PROJECT / ".build" / "release" / "gateway-agent"
