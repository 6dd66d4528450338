"""A chat-completions server that costs next to nothing: ready answers, a latency, a share of errors.

    python benchmarks/side/server.py --latency 0.05 --errors 0.05 --faults 500,reset

The answer depends on the number after the last `#` of the request alone, so that all clients get the same. It prints
its address, then the number of requests it got when its standard input ends; `GET /count` says how many were answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron")
LOGPROBS = (-0.05, -0.25, -0.5, -1.0, -2.0)
NUMBER = re.compile(rb"#(\d+)")


def answer(text: str, logprob: float | None) -> bytes:
    """A whole HTTP response with this text, of one token with this log-probability."""
    token = {"token": text, "logprob": logprob, "bytes": list(text.encode()), "top_logprobs": []}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
        "logprobs": None if logprob is None else {"content": [token]},
    }
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "fake-1",
        "choices": [choice],
        "usage": {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 13},
    }
    return response(200, body)


def response(status: int, body: object, more: str = "") -> bytes:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{more}\r\n"
    return head.encode() + data


def broken(why: str) -> dict[str, object]:
    return {"error": {"message": why, "type": "server_error"}}


PLAIN = [answer(word, None) for word in WORDS]
DETAILED = [[answer(word, logprob) for word in WORDS] for logprob in LOGPROBS]
FAULTS = {
    "500": response(500, broken("broken on purpose")),
    "429": response(429, broken("too many on purpose"), "Retry-After: 0\r\n"),
    "reset": b"",
}


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
            if head.startswith(b"get /count"):
                self._transport.write(response(200, self._server.answered))
            else:
                self._server.later(self._transport, body)


class Server:
    """Counts requests and answers each after the latency; every k-th gets an error, of each kind in turn."""

    def __init__(self, latency: float, errors: float, faults: list[bytes]) -> None:
        self.requests = self.answered = 0
        self._latency = latency
        self._broken_every = round(1 / errors) if errors else 0
        self._faults = faults

    def later(self, transport: asyncio.Transport, body: bytes) -> None:
        self.requests += 1
        if self._broken_every and self.requests % self._broken_every == 0:
            found = self._faults[self.requests // self._broken_every % len(self._faults)]
        else:
            self.answered += 1
            numbers = NUMBER.findall(body)
            number = int(numbers[-1]) if numbers else sum(body[-64:])
            ready = DETAILED[number % len(LOGPROBS)] if b'"logprobs"' in body else PLAIN
            found = ready[number % len(WORDS)]
        asyncio.get_running_loop().call_later(self._latency, self._send, transport, found)

    @staticmethod
    def _send(transport: asyncio.Transport, found: bytes) -> None:
        if not found:
            transport.abort()
        elif not transport.is_closing():
            transport.write(found)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--errors", type=float, default=0.0)
    parser.add_argument("--faults", default="500", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--port", type=int, default=0)
    knobs = parser.parse_args()
    server = Server(knobs.latency, knobs.errors, [FAULTS[name] for name in knobs.faults.split(",")])
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", knobs.port, backlog=1024)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(server.requests, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
