# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""run.py PROGRAM [TEST]... - start the demo, let the clients call it, stop it, and look for secrets in what it wrote."""

import pathlib
import subprocess
import sys
import unittest

import demo

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main(program: str, names: list[str]) -> int:
    folder = ROOT / ".build" / "clients" / "run"
    with demo.running(program, folder) as markers:
        loader = unittest.TestLoader()
        tests = loader.loadTestsFromNames(names) if names else loader.discover(str(HERE))
        result = unittest.TextTestRunner(verbosity=2).run(tests)
        demo.save_public_pages(folder)
        status = demo.stop()
    # A test fails once, however many of its parts did.
    failed = len({getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors})
    passed = result.testsRun - failed
    for what, holds in [
        (f"the demo ends well on SIGTERM (status {status})", status == 0),
        ("nothing the run wrote holds a secret",
         subprocess.run([ROOT / "scripts" / "check-secrets", folder, *markers], check=False).returncode == 0),
    ]:
        print(f"{what} ... {'ok' if holds else 'FAIL'}", file=sys.stderr)
        passed, failed = passed + holds, failed + (not holds)
    print(f"clients: {passed} passed, {failed} failed", flush=True)
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
