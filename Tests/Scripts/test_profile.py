# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""benchmarks/profile keeps what runs often, in a form that LLVM reads back, and no path of this machine."""

import importlib.machinery
import importlib.util
import pathlib
import sys
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "profile"

sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPT.parent))
loader = importlib.machinery.SourceFileLoader("profile_script", str(SCRIPT))
spec = importlib.util.spec_from_loader("profile_script", loader)
profile = importlib.util.module_from_spec(spec)
loader.exec_module(profile)

KIND = "# IR level Instrumentation Flag\n:ir\n"


def record(name, *counters, rest=()):
    return "\n".join([name, "# Func Hash:", "7", "# Num Counters:", str(len(counters)), "# Counter Values:",
                      *map(str, counters), *rest, "", ""])


class KeepFrequent(unittest.TestCase):
    def test_what_runs_often_is_kept_with_all_that_is_known_of_it(self):
        values = ["# Num Value Kinds:", "1", "# ValueKind = IPVK_MemOPSize:", "1", "# NumValueSites:", "0"]
        kept = profile.keep_frequent(KIND + record("$sOften", 3, profile.FEWEST, rest=values))
        self.assertEqual(kept, KIND + "\n".join(
            ["$sOften", "7", "2", "3", str(profile.FEWEST), "$0", "1", "1", "0", ""]))

    def test_what_runs_at_the_start_only_is_left_out(self):
        kept = profile.keep_frequent(KIND + record("$sRare", profile.FEWEST - 1) + record("$sOften", profile.FEWEST))
        self.assertNotIn("$sRare", kept)
        self.assertIn("$sOften", kept)

    def test_a_path_does_not_get_out(self):
        kept = profile.keep_frequent(KIND + record("/home/somebody/Agent.swift.o;$sOften", 10 * profile.FEWEST))
        self.assertEqual(kept, KIND)


if __name__ == "__main__":
    unittest.main()
