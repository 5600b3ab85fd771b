# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""The Anthropic SDK for Python, with a placeholder in x-api-key or in Authorization, as its users have it."""

import asyncio
import unittest

import anthropic
import httpx2

import demo

CALL = {"model": demo.MODEL, "max_tokens": 256, "messages": [{"role": "user", "content": demo.PROMPT}]}
# With one set, the SDK must not take up the other from the environment.
PLACEHOLDERS = {"x-api-key": {"api_key": demo.PLACEHOLDER}, "authorization": {"auth_token": demo.PLACEHOLDER}}


def options(placeholder: str = "x-api-key", **more) -> dict:
    return {"base_url": demo.url("anthropic"), "max_retries": 0, "timeout": demo.LIMIT} | PLACEHOLDERS[placeholder] | more


class Anthropic(unittest.TestCase):
    def check_whole(self, client: anthropic.Anthropic) -> None:
        raw = client.messages.with_raw_response.create(**CALL)
        self.assertEqual(demo.credential_of(raw.headers), "oidc")
        self.assertEqual(raw.parse().content[0].text, demo.PROMPT)

    def check_stream(self, client: anthropic.Anthropic) -> None:
        with client.messages.stream(**CALL) as stream:
            self.assertEqual(demo.credential_of(stream.response.headers), "oidc")
            pieces = list(stream.text_stream)
            self.assertEqual(stream.get_final_message().stop_reason, "end_turn")
        self.assertGreater(len(pieces), 2, "a stream has pieces")
        self.assertEqual("".join(pieces), demo.PROMPT)

    async def check_async(self, client: anthropic.AsyncAnthropic) -> None:
        async with client:
            whole = await client.messages.create(**CALL)
            self.assertEqual(whole.content[0].text, demo.PROMPT)
            async with client.messages.stream(**CALL) as stream:
                self.assertEqual("".join([piece async for piece in stream.text_stream]), demo.PROMPT)

    def test_whole_answers_and_streams_over_tcp(self) -> None:
        for placeholder in PLACEHOLDERS:
            with self.subTest(placeholder=placeholder), anthropic.Anthropic(**options(placeholder)) as client:
                self.check_whole(client)
                self.check_stream(client)
                self.check_whole(client)

    def test_whole_answers_and_streams_over_the_unix_socket(self) -> None:
        http = httpx2.Client(transport=httpx2.HTTPTransport(uds=demo.agent["unix"]))
        with anthropic.Anthropic(**options(http_client=http)) as client:
            self.check_whole(client)
            self.check_stream(client)

    def test_async_calls_over_tcp(self) -> None:
        asyncio.run(self.check_async(anthropic.AsyncAnthropic(**options())))

    def test_async_calls_over_the_unix_socket(self) -> None:
        async def run() -> None:
            http = httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(uds=demo.agent["unix"]))
            await self.check_async(anthropic.AsyncAnthropic(**options(http_client=http)))
        asyncio.run(run())


if __name__ == "__main__":
    unittest.main()
