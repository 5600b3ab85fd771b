# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""curl, for what the SDKs never do: old versions, chunked uploads, Expect, HEAD, and the calls that must be refused."""

import json
import os
import subprocess
import tempfile
import unittest
from typing import NamedTuple

import demo


class Answer(NamedTuple):
    status: int
    version: str
    fields: dict[str, str]
    body: bytes
    interim: list[int]  # the statuses before the last one


def curl(*arguments: str, body: bytes | None = None) -> Answer:
    """One call; the body of the request comes from curl's standard input where --data-binary @- asks for it."""
    with tempfile.TemporaryDirectory() as folder:
        heads = os.path.join(folder, "heads")
        run = subprocess.run(["curl", "--disable", "--silent", "--show-error", "--max-time", str(demo.LIMIT),
                              "--dump-header", heads, *arguments], input=body, capture_output=True, check=False)
        if run.returncode:
            raise AssertionError(f"curl {' '.join(arguments)}: exit {run.returncode}: {run.stderr.decode()}")
        with open(heads, encoding="latin-1", newline="") as file:
            blocks = [block.split("\r\n") for block in file.read().split("\r\n\r\n") if block]
    statuses = [int(block[0].split(" ")[1]) for block in blocks]
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in blocks[-1][1:])}
    return Answer(statuses[-1], blocks[-1][0].split(" ")[0], fields, run.stdout, statuses[:-1])


def call(prompt: str = demo.PROMPT, **more) -> bytes:
    return json.dumps({"model": demo.MODEL, "messages": [{"role": "user", "content": prompt}], **more}).encode()


JSON = ("--header", "Content-Type: application/json", "--data-binary", "@-")


class Curl(unittest.TestCase):
    def chat(self) -> str:
        return demo.url("openai", "v1/chat/completions")

    def check(self, answer: Answer, prompt: str = demo.PROMPT) -> None:
        self.assertEqual(answer.status, 200, answer.body[:500])
        self.assertEqual(demo.credential_of(answer.fields), "oidc")
        self.assertEqual(json.loads(answer.body)["choices"][0]["message"]["content"], prompt)

    def check_stream(self, answer: Answer) -> None:
        self.assertEqual(answer.status, 200, answer.body[:500])
        self.assertTrue(answer.fields["content-type"].startswith("text/event-stream"))
        events = [line[6:] for line in answer.body.decode().splitlines() if line.startswith("data: ")]
        self.assertEqual(events.pop(), "[DONE]")
        pieces = [choice["delta"].get("content") or "" for event in events for choice in json.loads(event)["choices"]]
        self.assertEqual("".join(pieces), demo.PROMPT)

    def test_a_call_that_knows_nothing_of_credentials(self) -> None:
        self.check(curl(*JSON, self.chat(), body=call()))

    def test_over_the_unix_socket(self) -> None:
        path = demo.routes["openai"] + "v1/chat/completions"
        self.check(curl(*JSON, "--unix-socket", demo.agent["unix"], "http://localhost" + path, body=call()))

    def test_server_sent_events(self) -> None:
        self.check_stream(curl(*JSON, "--no-buffer", self.chat(), body=call(stream=True)))

    def test_chunked_upload(self) -> None:
        prompt = "long " * 200_000
        self.check(curl(*JSON, "--header", "Transfer-Encoding: chunked", self.chat(), body=call(prompt)), prompt)

    def test_expect_100_continue_gets_its_100(self) -> None:
        answer = curl(*JSON, "--header", "Expect: 100-continue", "--expect100-timeout", str(demo.LIMIT - 10),
                      self.chat(), body=call())
        self.check(answer)
        self.assertEqual(answer.interim, [100])

    def test_http_1_0(self) -> None:
        answer = curl(*JSON, "--http1.0", self.chat(), body=call())
        self.check(answer)
        self.assertNotIn("transfer-encoding", answer.fields)

    def test_server_sent_events_for_http_1_0_end_with_the_connection(self) -> None:
        answer = curl(*JSON, "--http1.0", "--no-buffer", self.chat(), body=call(stream=True))
        self.check_stream(answer)
        self.assertNotIn("transfer-encoding", answer.fields)

    def test_head_has_the_fields_of_get_and_no_body(self) -> None:
        models = demo.url("openai", "v1/models")
        head, get = curl("--head", models), curl(models)
        self.assertEqual((head.status, get.status), (200, 200))
        self.assertEqual(demo.credential_of(head.fields), "oidc")
        self.assertEqual(head.fields.get("content-type"), get.fields.get("content-type"))
        self.assertIn(demo.MODEL, get.body.decode())

    def test_many_calls_on_one_connection(self) -> None:
        models = demo.url("openai", "v1/models")
        with tempfile.TemporaryDirectory() as folder:
            count = subprocess.run(["curl", "--disable", "--silent", "--fail", "--max-time", str(demo.LIMIT), "--output",
                                    os.path.join(folder, "#1"), "--write-out", "%{num_connects}\n", f"{models}?n=[1-20]"],
                                   capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(count, ["1"] + ["0"] * 19)

    def test_a_placeholder_in_any_usual_place_goes_no_further(self) -> None:
        for field in (f"Authorization: Bearer {demo.PLACEHOLDER}", f"X-Api-Key: {demo.PLACEHOLDER}",
                      f"Connection: authorization, x-api-key\r\nAuthorization: Bearer {demo.PLACEHOLDER}"):
            with self.subTest(field=field):
                headers = [part for line in field.split("\r\n") for part in ("--header", line)]
                self.check(curl(*JSON, *headers, self.chat(), body=call()))

    def test_what_only_a_browser_or_a_rebound_name_would_send_is_refused(self) -> None:
        for field in ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Host: evil.example"):
            with self.subTest(field=field):
                answer = curl(*JSON, "--header", field, self.chat(), body=call())
                self.assertEqual(answer.status, 403)
                self.assertNotIn("x-demo-credential", answer.fields, "it reached the gateway")

    def test_trace_is_refused_since_it_would_show_the_credential(self) -> None:
        answer = curl("--request", "TRACE", self.chat())
        self.assertIn(answer.status, (405, 501))
        self.assertNotIn("x-demo-credential", answer.fields, "it reached the gateway")

    def test_a_path_without_a_route_is_not_found(self) -> None:
        self.assertEqual(curl(demo.agent["tcp"] + "/nowhere/v1/models").status, 404)


if __name__ == "__main__":
    unittest.main()
