"""A chat-completions server that costs next to nothing: fixed answers, a latency, a share of errors.

    python benchmarks/side/server.py --latency 0.05 --errors 0.05

It prints its address, then the number of requests it got when its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron")


def answer(text: str, *, logprobs: bool) -> bytes:
    """A whole HTTP response with this text."""
    words = [word if number == 0 else f" {word}" for number, word in enumerate(text.split())]
    tokens = [{"token": word, "logprob": -0.25, "bytes": list(word.encode()), "top_logprobs": []} for word in words]
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "fake-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
                "logprobs": {"content": tokens} if logprobs else None,
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": len(words), "total_tokens": 12 + len(words)},
    }
    return response(200, json.dumps(body).encode())


def response(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


PLAIN = [answer(word, logprobs=False) for word in WORDS]
DETAILED = [answer(word, logprobs=True) for word in WORDS]
BROKEN = response(500, b'{"error": {"message": "broken on purpose", "type": "server_error"}}')


class Connection(asyncio.Protocol):
    """One client; requests of one connection come one after another."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            at = head.find(b"content-length:")
            length = 0 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._received) < end + 4 + length:
                return
            body, self._received = self._received[end + 4 : end + 4 + length], self._received[end + 4 + length :]
            self._server.later(self._transport, body)


class Server:
    """Counts requests and answers each after the latency; every k-th gets an error."""

    def __init__(self, latency: float, errors: float) -> None:
        self.requests = 0
        self._latency = latency
        self._broken_every = round(1 / errors) if errors else 0

    def later(self, transport: asyncio.Transport, body: bytes) -> None:
        self.requests += 1
        if self._broken_every and self.requests % self._broken_every == 0:
            found = BROKEN
        else:
            found = (DETAILED if b'"logprobs"' in body else PLAIN)[sum(body[-64:]) % len(WORDS)]
        asyncio.get_running_loop().call_later(self._latency, self._send, transport, found)

    @staticmethod
    def _send(transport: asyncio.Transport, found: bytes) -> None:
        if not transport.is_closing():
            transport.write(found)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--errors", type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    knobs = parser.parse_args()
    server = Server(knobs.latency, knobs.errors)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", knobs.port, backlog=1024)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(server.requests, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
