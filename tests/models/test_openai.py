"""The `openai` model against a server that breaks on command; the bill file is the witness."""

import asyncio
import gc
import json
import math
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import web

import fake_server
from doxa.errors import Refused, UsageError
from doxa.models.openai import HOME, USUAL, OpenAI
from doxa.types import Capabilities, Failure, Message, Model, Outcome, Reply, Request
from fake_clock import FakeClock
from fake_server import FakeServer, error

T = TypeVar("T")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def ask(text: str = "Which tree?", **fields: Any) -> Request:
    return Request((Message("user", text),), **fields)


def against(server: FakeServer, body: Callable[[OpenAI], Awaitable[T]], **knobs: Any) -> T:
    """Run `body` with a model of that server; connections close with the loop."""

    async def main() -> T:
        async with server:
            return await body(OpenAI("fake-1", base_url=server.url, **knobs))

    return asyncio.run(main())


def replies(server: FakeServer, requests: Sequence[Request], **knobs: Any) -> list[list[Outcome]]:
    return against(server, lambda model: model.generate(requests), **knobs)


def one(server: FakeServer, request: Request | None = None, **knobs: Any) -> Outcome:
    return replies(server, [request or ask()], **knobs)[0][0]


def text_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Reply), outcome
    return outcome.text


def kind_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Failure), outcome
    return outcome.kind


def bill(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_answer_with_everything() -> None:
    outcome = one(FakeServer(), ask(max_tokens=3, top_logprobs=2))
    assert isinstance(outcome, Reply)
    assert (outcome.finish, outcome.model) == ("length", "fake-1@fp_fake")
    assert (outcome.usage.calls, outcome.usage.tokens_in, outcome.usage.tokens_out) == (1, 2, 3)
    assert outcome.tokens is not None
    assert [token.text for token in outcome.tokens] == outcome.text.split()
    assert all(len(token.top) == 2 for token in outcome.tokens)


def test_it_is_a_model_whose_identity_is_name_and_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1/")
    model = OpenAI("a")
    assert isinstance(model, Model)
    assert model.base_url == "http://localhost:1/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    assert OpenAI("a").base_url == HOME
    names = {OpenAI(n, base_url=u).fingerprint for n in "ab" for u in ("http://x/v1", "http://y/v1")}
    assert len(names) == 4


def test_many_requests_run_together_and_stay_in_order() -> None:
    server = FakeServer(latency=0.02)
    requests = [ask(f"Question {number}") for number in range(60)]
    found = replies(server, requests, max_connections=10)
    alone = [replies(FakeServer(), [request]) for request in requests[:5]]
    assert found[:5] == [outcomes for ((outcomes),) in alone]
    assert len({text_of(outcomes[0]) for outcomes in found}) > 50
    assert server.most_in_flight == 10


def test_seeds_fix_samples_whatever_the_number_of_connections() -> None:
    requests = [ask(temperature=1.0, seed=seed) for seed in range(12)]
    wide, narrow = (replies(FakeServer(), requests, max_connections=most) for most in (16, 1))
    assert wide == narrow
    assert len({text_of(outcomes[0]) for outcomes in wide}) == 12


def test_several_choices_come_in_one_call() -> None:
    server = FakeServer()
    (outcomes,) = replies(server, [ask(temperature=1.0, seed=3, n=4)])
    assert len({text_of(outcome) for outcome in outcomes}) == 4
    assert len(server.requests) == 1


@pytest.mark.parametrize("fields", [{"several": False}, {"reject_several": True}])
def test_a_server_that_gives_one_choice_is_called_again_and_remembered(fields: dict[str, bool]) -> None:
    server = FakeServer(**fields)

    async def body(model: OpenAI) -> tuple[list[list[Outcome]], list[list[Outcome]]]:
        first = await model.generate([ask(temperature=1.0, seed=3, n=4)])
        assert not model.capabilities.n
        return first, await model.generate([ask(temperature=1.0, seed=3, n=4)])

    first, second = against(server, body)
    assert first == second
    assert len({text_of(outcome) for outcome in first[0]}) == 4
    assert all("n" not in payload for payload in server.requests[-4:])
    assert len(server.requests) == (8 if not fields.get("reject_several") else 9)


def test_new_names_and_limits_are_learnt_once() -> None:
    server = FakeServer(new_length=True, max_top=3)

    async def body(model: OpenAI) -> Capabilities:
        for number in range(3):
            outcome = (await model.generate([ask(str(number), top_logprobs=20)]))[0][0]
            assert isinstance(outcome, Reply)
            assert outcome.tokens is not None
            assert len(outcome.tokens[0].top) == 3
        return model.capabilities

    assert against(server, body).top_logprobs == 3
    assert len(server.requests) == 5


def test_a_server_that_ignores_logprobs_gives_none() -> None:
    outcome = one(FakeServer(logprobs=False, usage=False), ask(top_logprobs=5))
    assert isinstance(outcome, Reply)
    assert outcome.tokens is None
    assert outcome.usage.tokens_out is None


def test_a_server_that_refuses_logprobs_is_asked_without_and_remembered() -> None:
    server = FakeServer(reject_logprobs=True)

    async def body(model: OpenAI) -> list[list[Outcome]]:
        found = [(await model.generate([ask(top_logprobs=top)]))[0] for top in (0, 5)]
        assert (model.capabilities.logprobs, model.capabilities.top_logprobs) == (False, 0)
        return found

    for (outcome,) in against(server, body):
        assert isinstance(outcome, Reply)
        assert outcome.tokens is None
    assert len(server.requests) == 3


def test_what_the_protocol_lacks_is_a_failure_and_costs_nothing() -> None:
    server = FakeServer()
    requests = [ask(statistics=("entropy",)), ask(prefill="The "), ask(tools=("search",)), ask(decoding="beam", n=2)]

    async def body(model: OpenAI) -> list[list[Outcome]]:
        return [*await model.generate(requests), await model.score([ask(continuation="oak")])]

    found = against(server, body)
    assert {kind_of(outcome) for outcomes in found for outcome in outcomes} == {"unsupported"}
    assert [len(outcomes) for outcomes in found] == [1, 1, 1, 2, 1]
    assert server.requests == []


def test_a_started_answer_is_continued_where_the_server_can() -> None:
    whole = text_of(one(FakeServer()))
    start, rest = whole.split(" ", 1)
    offers = Capabilities(logprobs=True, prefill=True, n=True)
    server = FakeServer(prefill=True)
    assert text_of(one(server, ask(prefill=start), offers=offers)) == rest


@pytest.mark.parametrize("fields", [{}, {"streams": True}, {"reject_stream_options": True}])
def test_a_stream_of_events_is_the_same_answer_asked_for_or_not(fields: dict[str, bool]) -> None:
    request = ask(temperature=1.0, seed=3, n=2, top_logprobs=2)
    server = FakeServer(**fields)
    found = replies(server, [request], stream="streams" not in fields)
    assert found == replies(FakeServer(), [request])
    assert len(server.requests) == (2 if "reject_stream_options" in fields else 1)


def test_a_stream_that_comes_byte_by_byte_is_the_same_answer() -> None:
    assert one(FakeServer(faults=["drip"])) == one(FakeServer())


def test_a_stream_that_breaks_off_says_so() -> None:
    outcome = one(FakeServer(faults=["cut-stream"], cycle=True), max_attempts=1)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.retryable) == ("truncated_stream", True)


PASSING = [500, 502, 503, 504, 529, 408, 409, 429]
FAULTS = [*PASSING, "reset", "cut", "unframed", "cut-stream", "empty", "garbage"]


@pytest.mark.parametrize("fault", FAULTS)
def test_passing_faults_are_tried_again(fault: Any, tmp_path: Path) -> None:
    clock = FakeClock()
    server = FakeServer(faults=[fault, fault, None], bill=str(tmp_path / "bill"))
    assert text_of(one(server, _clock=clock.clock())) == text_of(one(FakeServer()))
    assert clock.slept == [0.25, 0.5]
    assert [line["paid"] for line in bill(tmp_path / "bill")] == [False, False, True]


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != 429])
def test_lasting_faults_become_failures_after_eight_tries(fault: Any) -> None:
    clock = FakeClock()
    server = FakeServer(faults=[fault], cycle=True)
    outcome = one(server, _clock=clock.clock())
    assert isinstance(outcome, Failure)
    assert (outcome.retryable, outcome.attempts, len(server.requests)) == (True, 8, 8)
    assert clock.slept == [0.25, 0.5, 1, 2, 4, 8, 15]


def test_who_is_only_asked_to_wait_tries_twice_as_often() -> None:
    clock = FakeClock()
    server = FakeServer(faults=[429], cycle=True)
    assert kind_of(one(server, _clock=clock.clock())) == "rate_limited"
    assert clock.slept == [0.25, 0.5, 1, 2, 4, 8, *[15] * 9]


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422, 301, "html"])
def test_faults_that_stay_are_not_tried_again(status: Any) -> None:
    server = FakeServer(faults=[status], cycle=True)
    outcome = one(server)
    assert isinstance(outcome, Failure)
    assert (outcome.retryable, len(server.requests)) == (False, 1)


def test_a_failure_carries_the_servers_sentence() -> None:
    outcome = one(FakeServer(faults=[error(400, "temperature must be below 2")]))
    assert outcome == Failure("bad_request", "HTTP 400: temperature must be below 2")


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after-ms": "40"}, 0.04),
        ({"Retry-After": "3600"}, 120.0),
        ({"Retry-After": "-1"}, 0.25),
        ({"Retry-After": "inf"}, 0.25),
    ],
)
def test_the_server_says_how_long_to_wait(headers: dict[str, str], wait: float) -> None:
    clock = FakeClock()
    server = FakeServer(faults=[error(429, "slow down", headers=headers)])
    assert text_of(one(server, _clock=clock.clock()))
    assert clock.slept == [wait]


def test_ten_minutes_are_the_end() -> None:
    clock = FakeClock()
    server = FakeServer(faults=[error(429, "slow down", headers={"Retry-After": "100"})], cycle=True)
    assert kind_of(one(server, _clock=clock.clock(), max_attempts=50)) == "rate_limited"
    assert clock.slept == [100.0] * 5


def test_a_rate_limited_crowd_gets_through_with_few_calls_and_a_lower_limit() -> None:
    clock = FakeClock(draw=0.0)
    server = FakeServer(faults=[None, None, 429, None, 429, None, None, None, 429, None], cycle=True)

    async def body(model: OpenAI) -> tuple[list[list[Outcome]], float]:
        found = await model.generate([ask(str(number)) for number in range(200)])
        return found, model._client._links[asyncio.get_running_loop()].limiter.limit

    found, limit = against(server, body, _clock=clock.clock())
    assert all(isinstance(outcomes[0], Reply) for outcomes in found)
    assert len(server.requests) <= 200 / 0.7 * 1.1
    assert 8 <= limit <= 50  # halved once, somewhere on the way to a hundred: no time passes in this burst


def test_redirections_are_named_and_not_followed() -> None:
    server = FakeServer(faults=[{"status": 307, "headers": {"Location": "/v1/chat/completions"}}])
    outcome = one(server)
    assert isinstance(outcome, Failure)
    assert outcome.kind == "redirected"
    assert "/v1/chat/completions" in outcome.message
    assert len(server.requests) == 1


def test_nothing_hangs_and_a_late_answer_is_dropped(tmp_path: Path) -> None:
    clock = FakeClock()
    server = FakeServer(faults=["hang", None], bill=str(tmp_path / "bill"))
    (outcomes,) = replies(server, [ask()], timeout=0.15, _clock=clock.clock())
    assert [text_of(outcome) for outcome in outcomes] == [text_of(one(FakeServer()))]
    assert server.cancelled == 1
    assert [line["paid"] for line in bill(tmp_path / "bill")] == [False, True]


def test_a_server_that_never_answers_is_a_failure() -> None:
    clock = FakeClock()
    server = FakeServer(faults=["hang"], cycle=True)
    outcome = one(server, timeout=0.05, max_attempts=2, _clock=clock.clock())
    assert outcome == Failure("timeout", "no answer within 0.05 s", retryable=True, attempts=2)


def test_nobody_listening_is_a_failure_that_says_so() -> None:
    async def main() -> Outcome:
        async with FakeServer() as server:
            gone = server.url
        return (await OpenAI("m", base_url=gone, max_attempts=1).generate([ask()]))[0][0]

    outcome = asyncio.run(main())
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.retryable) == ("connection", True)
    assert "Connection refused" in outcome.message


def test_a_server_without_encryption_behind_https_is_a_failure() -> None:
    async def main() -> Outcome:
        async with FakeServer() as server:
            model = OpenAI("m", base_url=server.url.replace("http:", "https:"), max_attempts=1)
            return (await model.generate([ask()]))[0][0]

    assert kind_of(asyncio.run(main())) == "connection"


@pytest.mark.parametrize(
    "fault",
    [
        error(401, "Incorrect API key provided: sk-hush-hush"),
        error(403, "Your account is not active"),
        error(402, "Insufficient Balance"),
        error(429, "You exceeded your current quota", "insufficient_quota"),
    ],
)
def test_a_refusal_stops_everything_and_never_shows_the_key(fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hush-hush")
    server = FakeServer(faults=[fault, *["hang"] * 30])

    async def body(model: OpenAI) -> None:
        assert "sk-hush-hush" not in repr(model) + repr(vars(model)) + model.fingerprint
        await model.generate([ask(str(number)) for number in range(40)])

    with pytest.raises(Refused) as refused:
        against(server, body)
    assert refused.value.exit_code == 4
    assert refused.value.hint
    assert "sk-hush-hush" not in str(refused.value)
    assert len(server.requests) <= 17  # those in flight; the others were never sent


def test_a_key_is_not_shown_where_an_error_comes_beside_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hush-hush")
    body = {"error": {"message": "Invalid value for sk-hush-hush"}, "choices": []}
    outcome = one(FakeServer(faults=[{"status": 200, "body": json.dumps(body)}]))
    assert isinstance(outcome, Failure)
    assert outcome.message == "HTTP 400: Invalid value for [key]"


def test_a_key_is_sent_and_a_wrong_one_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " right-key\n")
    assert text_of(one(FakeServer(key="right-key")))
    monkeypatch.setenv("OPENAI_API_KEY", "wrong-key")
    with pytest.raises(Refused, match=r"\[key\]"):
        one(FakeServer(key="right-key"))
    monkeypatch.setenv("OPENAI_API_KEY", "ключ")
    with pytest.raises(UsageError) as refused:
        one(FakeServer())
    assert "ключ" not in str(refused.value)


def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(Refused, match="OPENAI_API_KEY is not set") as refused:
        asyncio.run(OpenAI("gpt-4o").generate([ask()]))
    assert "export OPENAI_API_KEY" in refused.value.hint


def test_a_model_that_is_not_there_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no model 'fake-1'"):
        one(FakeServer(model="other", only_model=True))


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "http://", "http://[::1/v1", "http://u:p@x/v1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        OpenAI("m", base_url=url)


@pytest.mark.parametrize("knob", ["max_connections", "max_attempts", "timeout", "patience"])
@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_limits_that_let_no_call_through_are_refused(knob: str, value: float) -> None:
    fields: dict[str, Any] = {knob: value}
    with pytest.raises(UsageError, match=f"{knob}={value!r}") as refused:
        OpenAI("fake-1", "http://127.0.0.1:1/v1", **fields)
    assert refused.value.hint.startswith("give ")


def test_it_survives_several_event_loops_and_leaves_nothing_open() -> None:
    port = 0
    model: OpenAI | None = None
    texts = []
    for _ in range(3):
        server = FakeServer(port=port)

        async def main(server: FakeServer = server) -> str:
            nonlocal model, port
            async with server:
                port = server.port
                model = model or OpenAI("fake-1", base_url=server.url)
                return text_of((await model.generate([ask()]))[0][0])

        texts.append(asyncio.run(main()))
    gc.collect()  # an unclosed session would warn here, and warnings are errors
    assert len(set(texts)) == 1
    assert model is not None
    assert model._client._links == {}


def test_closing_twice_and_using_again_is_fine() -> None:
    async def body(model: OpenAI) -> list[str]:
        texts = []
        for _ in range(2):
            texts.append(text_of((await model.generate([ask()]))[0][0]))
            await model.close()
            await model.close()
        return texts

    first, second = against(FakeServer(), body)
    assert first == second


def test_cancelling_the_caller_cancels_what_is_in_flight() -> None:
    server = FakeServer(latency=30)

    async def body(model: OpenAI) -> None:
        task = asyncio.create_task(model.generate([ask(str(number)) for number in range(8)]))
        while server.in_flight < 8:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await model.close()
        while server.in_flight:
            await asyncio.sleep(0.005)

    against(server, body)
    assert server.cancelled == 8


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def relay(request: web.BaseRequest) -> web.Response:
        seen.append(str(request.url))
        body = json.dumps(FakeServer().completion(await request.json()))
        return web.Response(text=body, content_type="application/json")

    async def main() -> Outcome:
        runner = web.ServerRunner(web.Server(relay))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{runner.addresses[0][1]}")
        try:
            return (await OpenAI("m", base_url="http://far.invalid/v1", max_attempts=1).generate([ask()]))[0][0]
        finally:
            await runner.cleanup()

    assert text_of(asyncio.run(main()))
    assert seen == ["http://far.invalid/v1/chat/completions"]


def test_usual_capabilities_promise_neither_scoring_nor_hidden_states() -> None:
    assert not (USUAL.score or USUAL.hidden or USUAL.prefill or USUAL.statistics)


def test_the_fake_server_runs_alone_and_bills(tmp_path: Path) -> None:
    command = [sys.executable, fake_server.__file__, "--bill", str(tmp_path / "bill"), "--latency", "0.01"]
    with subprocess.Popen([*command, "--faults", "[429]"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        model = OpenAI("fake-1", base_url=url, _clock=FakeClock().clock())
        (outcomes,) = asyncio.run(model.generate([ask("one tree", seed=4)]))
        process.terminate()
    assert text_of(outcomes[0])
    assert [(line["outcome"], line["paid"], line["last"]) for line in bill(tmp_path / "bill")] == [
        (429, False, "one tree"),
        (200, True, "one tree"),
    ]
