# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""What the measures have in common: processes on their cores, rounds in turn, and the report. Standard library only."""
