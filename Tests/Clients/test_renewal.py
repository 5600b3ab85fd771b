# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""Many callers at once, while the token is renewed under them: none of them notices."""

import asyncio
import time
import unittest

import anthropic

import demo
import test_anthropic
import test_openai

CALLERS = 16
RENEWALS = 2


class Renewal(unittest.TestCase):
    def test_calls_go_on_across_renewals(self) -> None:
        tokens: set[str] = set()
        counts: dict[str, int] = {"whole": 0, "streamed": 0}
        deadline = time.monotonic() + demo.LIMIT

        def is_done() -> bool:
            return len(tokens) > RENEWALS or time.monotonic() > deadline

        def note(fields, kind: str) -> None:
            self.assertEqual(demo.credential_of(fields), "oidc")
            tokens.add(fields["x-demo-token"])
            counts[kind] += 1

        async def whole(client) -> None:
            while not is_done():
                raw = await client.chat.completions.with_raw_response.create(**test_openai.CALL)
                self.assertEqual(raw.parse().choices[0].message.content, demo.PROMPT)
                note(raw.headers, "whole")

        async def streamed(client) -> None:
            while not is_done():
                async with client.messages.stream(**test_anthropic.CALL) as stream:
                    self.assertEqual("".join([piece async for piece in stream.text_stream]), demo.PROMPT)
                    note(stream.response.headers, "streamed")

        async def run() -> None:
            async with (test_openai.async_client() as openai_client,
                        anthropic.AsyncAnthropic(**test_anthropic.options()) as anthropic_client):
                await asyncio.gather(*(whole(openai_client) for _ in range(CALLERS // 2)),
                                     *(streamed(anthropic_client) for _ in range(CALLERS // 2)))

        asyncio.run(run())
        print(f"{counts} calls with {len(tokens)} tokens", end=" ... ", flush=True)
        self.assertGreater(len(tokens), RENEWALS, f"no {RENEWALS} renewals within {demo.LIMIT} s; the demo's tokens "
                                                  "should live a few seconds")


if __name__ == "__main__":
    unittest.main()
