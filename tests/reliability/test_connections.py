"""Connections that break or never answer: tried again, then an error; the run ends and leaves nothing (R10, R19)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from doxa import flow, registry
from doxa.inquiry import Asking
from doxa.journal import entries
from doxa.models.http import client
from doxa.models.openai import OpenAI
from doxa.types import Failure, Message, Outcome, Question, Request
from fake_clock import FakeClock
from fake_server import FakeServer

LABEL = "sequence_probability"
ASK = Request((Message("user", "Which tree?"),))
DOUBLING = [0.25, 0.5, 1, 2, 4, 8, 15]
"""Half of a cap that doubles from half a second to thirty: what a draw of 0.5 gives."""


def lasting(url: str) -> Failure:
    """The failure that remains of a call to an address that never works, after the waits that are due."""
    clock = FakeClock()

    async def main() -> Outcome:
        model = OpenAI("m", base_url=url, _clock=clock.clock())
        try:
            return (await model.generate([ASK]))[0][0]
        finally:
            await model.close()

    outcome = asyncio.run(main())
    assert isinstance(outcome, Failure)
    assert clock.slept == DOUBLING
    return outcome


def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str, *_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert lasting("http://no-such-host.invalid/v1") == Failure(
        "connection", "there is no host no-such-host.invalid", retryable=True, attempts=8
    )


def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failure = lasting(f"http://127.0.0.1:{port}/v1")
    assert (failure.kind, failure.retryable, failure.attempts) == ("connection", True, 8)


@pytest.mark.parametrize("abort", [False, True])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_is_closed_as_soon_as_something_is_said(scheme: str, abort: bool) -> None:
    """Over https that is in the middle of the handshake."""
    clock, heard = FakeClock(), []

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))
        if abort:
            writer.transport.abort()
        writer.close()

    async def main() -> Outcome:
        server = await asyncio.start_server(close, "127.0.0.1", 0)
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        model = OpenAI("m", base_url=url, _clock=clock.clock())
        outcome = (await model.generate([ASK]))[0][0]
        await model.close()
        server.close()
        return outcome

    outcome = asyncio.run(main())
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.retryable, outcome.attempts) == ("connection", True, 8)
    assert len(heard) == 8
    assert clock.slept == DOUBLING


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST", 1 << 20)
    sent = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while sent < 1 << 28:
                writer.write(b"data: " + b"x" * 65_530)
                await writer.drain()
                sent += 1 << 16
        writer.close()

    async def main() -> Outcome:
        async with await asyncio.start_server(pour, "127.0.0.1", 0) as server:
            model = OpenAI("m", base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
            outcome = (await model.generate([ASK]))[0][0]
            await model.close()
            return outcome

    outcome = asyncio.run(main())
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.retryable, outcome.attempts) == ("too_long", False, 1)
    assert sent < 1 << 25


def plan(count: int) -> flow.Plan:
    asked = [Question(f"q{number}", f"Which tree is number {number}?", ("amber",)) for number in range(count)]
    return flow.Plan(asked, {LABEL: registry.build("estimators", LABEL)}, Asking(top_logprobs=0))


def within(work: Callable[[], Coroutine[Any, Any, None]]) -> float:
    """Seconds that the work takes; it leaves neither a task nor a thread."""

    async def main() -> None:
        await work()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    threads, started = set(threading.enumerate()), time.monotonic()
    asyncio.run(main())
    assert set(threading.enumerate()) <= threads
    return time.monotonic() - started


def test_a_provider_that_never_answers_the_last_hundredth_does_not_hold_the_run_up(tmp_path: Path) -> None:
    server, clock = FakeServer(faults=[*[None] * 198, *["hang"] * 30]), FakeClock()

    async def work() -> None:
        async with server:
            # Few at once, so that an answer takes no 0.4 s on a busy machine.
            model = OpenAI("fake-1", server.url, timeout=0.4, max_connections=8, max_attempts=3, _clock=clock.clock())
            run = await flow.assay(model, plan(200), out=tmp_path / "run")
            await model.close()
            assert run.info["status"] == "incomplete"
            assert run.info["errors"] == {"timeout": 2}
            items = run.frame()
            assert items["confidence"].null_count() == 2
            assert set(items["error"]) == {"", "timeout: no answer within 0.4 s"}

    seconds = within(work)
    assert seconds < 3 * 0.4 + 10  # and what asking and telling take on a busy machine
    assert len(list(entries(tmp_path / "run"))) == 198
    assert server.cancelled == 2 * 3  # nobody waits for a late answer


def test_a_call_never_lasts_longer_than_its_patience(tmp_path: Path) -> None:
    server = FakeServer(faults=["hang"], cycle=True)

    async def work() -> None:
        async with server:
            model = OpenAI("fake-1", base_url=server.url, timeout=0.2, patience=0.5)
            started = time.monotonic()
            outcome = (await model.generate([ASK]))[0][0]
            assert time.monotonic() - started < 0.5 + 2
            assert isinstance(outcome, Failure)
            assert outcome.kind == "timeout"
            await model.close()

    within(work)
