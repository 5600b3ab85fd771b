# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""The demo's issuer, seen by others: its keys and signatures are checked by openssl(1), which shares no code of ours."""

import base64
import json
import pathlib
import re
import subprocess
import tempfile
import time
import unittest
import urllib.request

import demo


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else (lambda b: bytes([128 | len(b)]) + b)(size.to_bytes(2 if size > 255 else 1))
    return bytes([tag]) + length + content


def rsa_key(key: dict) -> bytes:
    """SubjectPublicKeyInfo (RFC 3279 2.3.1) of a JSON Web Key."""
    numbers = [der(2, b"\0" + decode(key[name])) for name in ("n", "e")]
    kind = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return der(0x30, kind, der(3, b"\0", der(0x30, *numbers)))


def get(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=demo.LIMIT) as answer:
        return json.load(answer)


class Issuer(unittest.TestCase):
    def token(self) -> str:
        """As the agent gets it: what it shows to the issuer lies where the configuration says."""
        configuration = pathlib.Path(demo.addresses["configuration"]).read_text()
        secret = pathlib.Path(re.search(r"\$\{file:([^}]+)\}", configuration)[1]).read_text()
        audience = re.search(r'"aud":"([^"]+)"', configuration)[1]
        request = urllib.request.Request(
            demo.addresses["issuer"] + "/token", json.dumps({"aud": audience}).encode(),
            {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=demo.LIMIT) as answer:
            return json.load(answer)["token"]

    def test_a_token_is_signed_by_the_key_that_discovery_leads_to(self) -> None:
        issuer = demo.addresses["issuer"]
        discovery = get(issuer + "/.well-known/openid-configuration")
        self.assertEqual(discovery["issuer"], issuer)
        keys = {key["kid"]: key for key in get(discovery["jwks_uri"])["keys"]}
        head, claims, signature = self.token().split(".")
        received = time.time()
        header = json.loads(decode(head))
        self.assertEqual(header["alg"], "RS256")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "key").write_bytes(rsa_key(keys[header["kid"]]))
            (folder / "signature").write_bytes(decode(signature))
            for signed, holds in ((f"{head}.{claims}", True), (f"{head}.{claims}x", False)):
                run = subprocess.run(["openssl", "dgst", "-sha256", "-verify", folder / "key", "-keyform", "DER",
                                      "-signature", folder / "signature"],
                                     input=signed.encode(), capture_output=True, check=False)
                self.assertEqual(run.returncode == 0, holds, run.stdout + run.stderr)
        told = json.loads(decode(claims))
        self.assertEqual(told["iss"], issuer)
        self.assertLessEqual(told["nbf"], received)
        self.assertGreater(told["exp"], received)


if __name__ == "__main__":
    unittest.main()
