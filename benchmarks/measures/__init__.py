# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""One module a measure: each has `run(bench)` and returns rows of the report."""
