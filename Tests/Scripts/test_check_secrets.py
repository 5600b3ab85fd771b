# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""scripts/check-secrets finds a planted secret in every form, and says nothing of a clean folder."""

import base64
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check-secrets"
MARKER = "planted-key?0123456789abcdef"
TOKEN = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=")
                 for part in (b'{"alg":"ES256"}', b'{"sub":"demo"}', b"signature bytes"))


class Secrets(unittest.TestCase):
    def run_on(self, content: bytes, *markers: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "log").write_bytes(content)
            return subprocess.run([SCRIPT, folder, *markers], capture_output=True, text=True, check=False)

    def test_a_clean_folder_passes(self) -> None:
        self.assertEqual(self.run_on(b"eyJhbGciOiJFUzI1NiJ9 planted-key <redacted>\xff\0", MARKER).returncode, 0)

    def test_each_form_is_found_and_not_repeated(self) -> None:
        plain = MARKER.encode()
        for content in [plain, plain.hex().encode(), plain.hex().upper().encode(), b"planted-key%3F0123456789abcdef",
                        "".join(f"%{byte:02x}" for byte in plain).encode(), TOKEN.encode(),
                        *(base64.b64encode(prefix + plain + b" and more") for prefix in (b"", b"B", b"Be", b"Bearer "))]:
            with self.subTest(content=content):
                run = self.run_on(b"a log line\xff" + content + b"\n", MARKER)
                self.assertEqual(run.returncode, 1, run.stderr)
                self.assertNotIn(content.decode(), run.stdout + run.stderr)

    def test_an_empty_folder_proves_nothing(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(subprocess.run([SCRIPT, folder, MARKER], capture_output=True, check=False).returncode, 1)

    def test_a_marker_that_chance_would_find_is_refused(self) -> None:
        self.assertEqual(self.run_on(b"", "key").returncode, 64)


if __name__ == "__main__":
    unittest.main()
