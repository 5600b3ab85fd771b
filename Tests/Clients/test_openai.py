# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
"""The OpenAI SDK for Python: only its base URL is changed, its key is a placeholder."""

import asyncio
import unittest

import httpx2
import openai

import demo

MESSAGES = [{"role": "system", "content": "Repeat."}, {"role": "user", "content": demo.PROMPT}]
CALL = {"model": demo.MODEL, "messages": MESSAGES}


def client(**options) -> openai.OpenAI:
    return openai.OpenAI(base_url=demo.url("openai", "v1"), api_key=demo.PLACEHOLDER, max_retries=0,
                         timeout=demo.LIMIT, **options)


def async_client(**options) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=demo.url("openai", "v1"), api_key=demo.PLACEHOLDER, max_retries=0,
                              timeout=demo.LIMIT, **options)


class OpenAI(unittest.TestCase):
    def check_whole(self, openai_client: openai.OpenAI) -> None:
        raw = openai_client.chat.completions.with_raw_response.create(**CALL)
        self.assertEqual(demo.credential_of(raw.headers), "oidc")
        self.assertEqual(raw.parse().choices[0].message.content, demo.PROMPT)

    def check_stream(self, openai_client: openai.OpenAI) -> None:
        with openai_client.chat.completions.with_streaming_response.create(**CALL, stream=True) as raw:
            self.assertEqual(demo.credential_of(raw.headers), "oidc")
            pieces = [choice.delta.content or "" for chunk in raw.parse() for choice in chunk.choices]
        self.assertGreater(len(pieces), 2, "a stream has pieces")
        self.assertEqual("".join(pieces), demo.PROMPT)

    async def check_async(self, openai_client: openai.AsyncOpenAI) -> None:
        async with openai_client:
            whole = await openai_client.chat.completions.create(**CALL)
            self.assertEqual(whole.choices[0].message.content, demo.PROMPT)
            pieces = []
            async for chunk in await openai_client.chat.completions.create(**CALL, stream=True):
                pieces += [choice.delta.content or "" for choice in chunk.choices]
            self.assertEqual("".join(pieces), demo.PROMPT)

    def test_whole_answers_over_tcp(self) -> None:
        with client() as openai_client:
            for _ in range(3):  # on one connection
                self.check_whole(openai_client)

    def test_streams_over_tcp(self) -> None:
        with client() as openai_client:
            for _ in range(3):
                self.check_stream(openai_client)

    def test_whole_answers_and_streams_over_the_unix_socket(self) -> None:
        transport = httpx2.HTTPTransport(uds=demo.agent["unix"])
        with client(http_client=httpx2.Client(transport=transport)) as openai_client:
            self.check_whole(openai_client)
            self.check_stream(openai_client)

    def test_async_calls_over_tcp(self) -> None:
        asyncio.run(self.check_async(async_client()))

    def test_async_calls_over_the_unix_socket(self) -> None:
        async def run() -> None:
            transport = httpx2.AsyncHTTPTransport(uds=demo.agent["unix"])
            await self.check_async(async_client(http_client=httpx2.AsyncClient(transport=transport)))
        asyncio.run(run())

    def test_a_stream_that_is_left_early_harms_no_later_call(self) -> None:
        with client() as openai_client:
            with openai_client.chat.completions.create(**CALL, stream=True) as stream:
                next(iter(stream))
            self.check_whole(openai_client)

    def test_the_models_are_listed(self) -> None:
        with client() as openai_client:
            self.assertIn(demo.MODEL, [model.id for model in openai_client.models.list()])

    def test_an_error_of_the_gateway_arrives_as_it_is(self) -> None:
        with client() as openai_client, self.assertRaises(openai.NotFoundError) as caught:
            openai_client.models.retrieve("nobody-serves-this")
        self.assertEqual(caught.exception.body["type"], "not_found")


if __name__ == "__main__":
    unittest.main()
