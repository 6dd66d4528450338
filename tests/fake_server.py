"""A chat-completions server on 127.0.0.1 that lies, stalls and breaks on command, and keeps a bill.

Replies are words drawn from a hash of the messages, the seed (when sampling) and the choice's number, so equal requests
get equal answers. Every request is written to the bill file *before* its answer leaves: one JSON line, `paid` true
where an answer was computed. The bill is the independent witness of what was called.

A fault script is a list with one entry per request, in order of arrival (`None`: no fault), or a dictionary that says
what becomes of requests by their last message. An entry is a name
(`reset`, `cut`, `unframed`, `hang`, `empty`, `html`, `garbage`, `cut-stream`, `drip`), a status, or
`{"status": …, "headers": {…}, "body": …}`. `cut` ends inside an announced length, `unframed` inside a body whose end is
that of the connection, `cut-stream` inside a stream of events; `drip` is a whole stream of events byte by byte.

    python tests/fake_server.py --port 0 --bill bill.jsonl --latency 0.05 --faults '[null, 429, "reset"]' --cycle
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "indigo", "juniper", "kelp", "lotus")
HALF = b'{"choices": [{"message": {"content": "half'
STREAM = {"Content-Type": "text/event-stream"}
PROSE = {"empty": "", "html": "<html><body>Welcome</body></html>", "garbage": '{"choices": [{"mess'}


@dataclass
class FakeServer:
    """`async with FakeServer(...) as server: server.url`. Fields are what the server offers and how it misbehaves."""

    bill: str = ""
    latency: float = 0.0
    faults: Sequence[Any] | dict[str, Any] = ()
    cycle: bool = False
    key: str = ""
    model: str = "fake-1"
    only_model: bool = False
    several: bool = True
    logprobs: bool = True
    max_top: int = 20
    seeded: bool = True
    prefill: bool = False
    stops: bool = True
    usage: bool = True
    new_length: bool = False
    reject_several: bool = False
    reject_logprobs: bool = False
    reject_stream_options: bool = False
    streams: bool = False
    """Answer with a stream of events although nobody asked for one."""
    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    cancelled: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**26)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    async def _models(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"object": "list", "data": [{"id": self.model, "object": "model"}]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        payload = await request.json()
        self.requests.append(payload)
        number = len(self.requests) - 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self._answer(request, payload, self._fault(number, payload))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1

    def _fault(self, number: int, payload: dict[str, Any]) -> Any:
        if isinstance(self.faults, dict):
            return self.faults.get(payload["messages"][-1]["content"])
        if not self.faults or (number >= len(self.faults) and not self.cycle):
            return None
        return self.faults[number % len(self.faults)]

    async def _answer(self, request: web.Request, payload: dict[str, Any], fault: Any) -> web.StreamResponse:
        if fault is None:
            fault = self._complaint(request, payload)
        if fault is None:
            body = self.completion(payload)
            self._note(payload, 200)
            if self.streams or payload.get("stream"):
                return web.Response(body=stream(body), content_type="text/event-stream")
            return web.Response(text=json.dumps(body), content_type="application/json")
        self._note(payload, fault)
        if isinstance(fault, int):
            fault = {"status": fault}
        if isinstance(fault, dict):
            return _broken(fault)
        if fault in PROSE:
            return web.Response(text=PROSE[fault], content_type="text/html" if fault == "html" else "text/plain")
        if fault == "hang":
            await asyncio.sleep(3600)
        events = stream(self.completion(payload))
        return await (_drip(request, events) if fault == "drip" else _drop(request, fault, events))

    def _complaint(self, request: web.Request, payload: dict[str, Any]) -> dict[str, Any] | None:
        """The 4xx a strict server would send, if any."""
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            got = request.headers.get("Authorization", "no key")
            return error(401, f"Incorrect API key provided: {got}", "invalid_api_key")
        if self.only_model and payload["model"] != self.model:
            return error(404, f"The model `{payload['model']}` does not exist", "model_not_found")
        if self.new_length and "max_tokens" in payload:
            return error(
                400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "unsupported"
            )
        if self.reject_logprobs and "logprobs" in payload:
            return error(400, "logprobs are not supported with this model.", "invalid_request_error")
        if self.reject_stream_options and "stream_options" in payload:
            return error(400, "stream_options: Extra inputs are not permitted", "invalid_request_error")
        if payload.get("top_logprobs", 0) > self.max_top:
            return error(400, f"Invalid 'top_logprobs': must be at most {self.max_top}.", "invalid_value")
        if self.reject_several and payload.get("n", 1) > 1:
            return error(400, "'n' : number must be at most 1", "invalid_request_error")
        return None

    def completion(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The answer of a healthy server to this payload."""
        count = payload.get("n", 1) if self.several else 1
        choices = [self._choice(payload, index) for index in range(count)]
        prompt = sum(len(str(message["content"]).split()) for message in payload["messages"])
        written = sum(len(choice["message"]["content"].split()) for choice in choices)
        usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
        return {
            "id": "chatcmpl-" + digest(payload),
            "object": "chat.completion",
            "model": payload["model"],
            "system_fingerprint": "fp_fake",
            "choices": choices,
        } | ({"usage": usage} if self.usage else {})

    def _choice(self, payload: dict[str, Any], index: int) -> dict[str, Any]:
        messages = list(payload["messages"])
        started = messages.pop()["content"].split() if self.prefill and messages[-1]["role"] == "assistant" else []
        drawn = payload.get("temperature", 1) > 0
        seed = (payload.get("seed") if self.seeded else random.random()) if drawn else 0
        stream = random.Random(digest([messages, seed, index if drawn else 0]))
        words = [stream.choice(WORDS) for _ in range(stream.randint(6, 9))][len(started) :]
        limit = payload.get("max_completion_tokens", payload.get("max_tokens", 64))
        finish = "length" if len(words) > limit else "stop"
        words = words[:limit]
        text = " ".join(words)
        for stop in (payload.get("stop") or []) if self.stops else []:
            text = text.split(stop)[0]
        choice: dict[str, Any] = {
            "index": index,
            "message": {"role": "assistant", "content": text},
            "finish_reason": finish,
            "logprobs": None,
        }
        if payload.get("logprobs") and self.logprobs:
            choice["logprobs"] = {"content": [_token(w, stream, payload.get("top_logprobs", 0)) for w in text.split()]}
        return choice

    def _note(self, payload: dict[str, Any], outcome: Any) -> None:
        """One line on the bill, in one write."""
        if not self.bill:
            return
        entry = {
            "paid": outcome == 200,
            "outcome": outcome,
            "request": digest(payload),
            "seed": payload.get("seed"),
            "n": payload.get("n", 1),
            "in_flight": self.in_flight,
            "last": payload["messages"][-1]["content"],
        }
        handle = os.open(self.bill, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, (json.dumps(entry) + "\n").encode())
        finally:
            os.close(handle)


def error(status: int, message: str, code: str = "", headers: dict[str, str] | None = None) -> dict[str, Any]:
    """A fault with OpenAI's error body."""
    body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return {"status": status, "body": body, "headers": headers or {}}


def digest(value: Any) -> str:
    """Sixteen hex digits of a JSON value."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()


def _token(word: str, stream: random.Random, top: int) -> dict[str, Any]:
    chosen = -stream.random()
    others = [{"token": f"{word}{i}", "logprob": chosen - 1 - i} for i in range(top - 1)]
    listed = [{"token": word, "logprob": chosen}, *others][:top]
    return {"token": word, "logprob": chosen, "bytes": list(word.encode()), "top_logprobs": listed}


def _broken(fault: dict[str, Any]) -> web.Response:
    body = fault.get("body", {"error": {"message": f"broken on purpose ({fault.get('status', 200)})"}})
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"Content-Type": "application/json"} | fault.get("headers", {})
    return web.Response(status=fault.get("status", 200), text=text, headers=headers)


async def _drop(request: web.Request, fault: str, events: bytes) -> web.StreamResponse:
    """The connection is gone, with nothing said or half an answer."""
    transport, response = request.transport, web.StreamResponse()
    assert isinstance(transport, asyncio.Transport)
    if fault == "unframed":
        transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + HALF)
        transport.close()
        return response
    if fault in ("cut", "cut-stream"):
        response.headers.update(STREAM if fault == "cut-stream" else {"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(HALF if fault == "cut" else events[:300])
    transport.abort()
    return response


async def _drip(request: web.Request, body: bytes) -> web.StreamResponse:
    """A whole answer, every byte in a chunk of its own."""
    response = web.StreamResponse(headers=STREAM)
    await response.prepare(request)
    for byte in body:
        await response.write(bytes([byte]))
    return response


def stream(body: dict[str, Any], *, piece: int = 1) -> bytes:
    """A completion as a stream of events: `piece` words of each choice a chunk, the way OpenAI writes them."""
    common = {name: body.get(name) for name in ("id", "model", "system_fingerprint")} | {
        "object": "chat.completion.chunk"
    }
    chunks = []
    for choice in body["choices"]:
        index, words = choice["index"], choice["message"]["content"].split(" ")
        tokens = (choice["logprobs"] or {}).get("content")
        chunks.append({"index": index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None})
        for start in range(0, len(words), piece):
            text = " " * (start > 0) + " ".join(words[start : start + piece])
            logprobs = tokens and {"content": tokens[start : start + piece]}
            chunks.append({"index": index, "delta": {"content": text}, "logprobs": logprobs, "finish_reason": None})
        chunks.append({"index": index, "delta": {}, "finish_reason": choice["finish_reason"]})
    events = [common | {"choices": [chunk]} for chunk in chunks]
    if "usage" in body:
        events.append(common | {"choices": [], "usage": body["usage"]})
    lines = [*(json.dumps(event, ensure_ascii=False) for event in events), "[DONE]"]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


async def serve(server: FakeServer) -> None:
    async with server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bill", default="")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--faults", type=json.loads, default=[])
    parser.add_argument("--cycle", action="store_true", help="repeat the fault script for ever")
    parser.add_argument("--key", default="")
    parser.add_argument("--model", default="fake-1")
    parser.add_argument("--max-top", type=int, default=20)
    parser.add_argument("--reject-stream-options", action="store_true")
    for flag in ("several", "logprobs", "seeded", "stops", "usage"):
        parser.add_argument(f"--no-{flag}", dest=flag, action="store_false")
    for flag in ("only-model", "prefill", "new-length", "reject-several", "reject-logprobs", "streams"):
        parser.add_argument(f"--{flag}", action="store_true")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(FakeServer(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
