"""Whatever a provider answers: an error with a name or a null with a reason, and never a score (R10–R14)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from doxa import flow, prompts, registry
from doxa.errors import Refused
from doxa.inquiry import Asking
from doxa.journal import entries
from doxa.models.openai import OpenAI
from doxa.types import Question
from fake_clock import FakeClock
from fake_server import FakeServer, error, stream

LABEL = "sequence_probability"
GOOD: dict[str, Any] = {
    "model": "fake-1",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "amber"},
            "finish_reason": "stop",
            "logprobs": {"content": [{"token": "amber", "logprob": -0.5, "top_logprobs": []}]},
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}


def body(change: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """An answer whose choice is changed so, or whose fields are; as a fault of the server."""
    whole = GOOD | {"choices": [GOOD["choices"][0] | (change or {})]} | fields
    return {"status": 200, "body": json.dumps({name: value for name, value in whole.items() if value != "gone"})}


def logprob(*values: Any, token: str = "amber", **more: Any) -> dict[str, Any]:
    """An answer whose tokens have these log-probabilities."""
    return body({"logprobs": {"content": [{"token": token, "logprob": value} | more for value in values]}})


def events(text: bytes) -> dict[str, Any]:
    return {"status": 200, "body": text.decode(), "headers": {"Content-Type": "text/event-stream"}}


ERRORS: dict[str, tuple[Any, str, int]] = {
    # R10: what passes is tried eight times
    **{f"status {status}": (status, "server_error", 8) for status in (500, 502, 503, 504, 529)},
    "reset before headers": ("reset", "connection", 8),
    "reset in the body": ("cut", "connection", 8),
    "closed in a body without a length": ("unframed", "not_json", 8),
    "too many": (429, "rate_limited", 16),
    # R11: what stays is asked once
    "bad request": (400, "bad_request", 1),
    "forbidden": (403, "forbidden", 1),
    "no such path": (404, "not_found", 1),
    "too large": (413, "too_large", 1),
    "unprocessable": (422, "bad_request", 1),
    "filtered": (error(400, "flagged", "content_filter"), "content_filter", 1),
    "filtered answer": (body({"finish_reason": "content_filter"}), "content_filter", 1),
    # R12: streams
    "stream cut": ("cut-stream", "truncated_stream", 8),
    "stream without its end": (events(stream(GOOD).partition(b"data: [DONE]")[0]), "truncated_stream", 8),
    "stream without a reason": (events(stream(GOOD).replace(b'"stop"', b"null")), "truncated_stream", 8),
    "stream with half a chunk": (events(stream(GOOD).replace(b'"delta": {}', b'"delta": {')), "malformed_stream", 8),
    # R13: bodies
    "not JSON": ({"status": 200, "body": "Paris"}, "not_json", 8),
    "web page": ("html", "not_json", 1),
    "empty": ("empty", "empty_body", 8),
    "no choices": (body(choices=[]), "no_choices", 1),
    "content null": (body({"message": {"role": "assistant", "content": None}}), "no_content", 1),
    "no finish reason": (body({"finish_reason": None}), "truncated", 1),
}
NULLS: dict[str, tuple[Any, str]] = {
    "log-probabilities null": (body({"logprobs": None}), "the model gave no log-probabilities"),
    # R14: numbers that are no log-probabilities of the reply's tokens
    **{
        f"log-probability {value}": (logprob(value), "the model gave no log-probability for a token")
        for value in (float("nan"), float("inf"), float("-inf"), None, -9999.0, 0.5)
    },
    "one of many unknown": (logprob(-0.5, -0.5, None), "the model gave no log-probability for a token"),
    "no tokens": (logprob(), "a reply is empty, so it has no probability that tokens tell"),
}
SCORES: dict[str, Any] = {
    "well": None,
    "usage gone": body(usage="gone"),
    "usage with floats": body(usage={"prompt_tokens": 3.0, "completion_tokens": 1.5}),
    "20 000 tokens": logprob(*[-1e-6] * 20_000),
    "bytes absent": logprob(-0.5),
    "rounded above one": logprob(3e-8),
    "tokens of another text": logprob(-0.5, token="birch"),
    "alternatives twice": logprob(-0.5, top_logprobs=[{"token": "amber", "logprob": -0.5}] * 3),
    "not among the alternatives": logprob(-3.0, top_logprobs=[{"token": "oak", "logprob": -0.1}]),
    "a whole stream": events(stream(GOOD)),
}
FAULTS = {**{name: found[0] for name, found in [*ERRORS.items(), *NULLS.items()]}, **SCORES}


def questions(names: Any) -> list[Question]:
    return [Question(f"{name}", f"Which tree, {name}?", ("amber",)) for name in names]


def plan(asked: list[Question]) -> flow.Plan:
    return flow.Plan(asked, {LABEL: registry.build("estimators", LABEL)}, Asking(top_logprobs=0))


def assay(server: FakeServer, asked: list[Question], out: Path, **knobs: Any) -> pl.DataFrame:
    async def main() -> pl.DataFrame:
        async with server:
            model = OpenAI("fake-1", base_url=server.url, _clock=FakeClock().clock(), **knobs)
            try:
                return (await flow.assay(model, plan(asked), out=out)).frame()
            finally:
                await model.close()

    return asyncio.run(main())


def by_text(asked: list[Question]) -> dict[str, Any]:
    return {prompts.render(each)[-1].content: FAULTS[each.id] for each in asked}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, Any]], FakeServer, Path]:
    """One run in which every question meets a trouble of its own."""
    asked, out = questions(FAULTS), tmp_path_factory.mktemp("run") / "run"
    server = FakeServer(faults=by_text(asked))
    items = assay(server, asked, out)
    return {row["question"]: row for row in items.to_dicts()}, server, out


Told = tuple[dict[str, dict[str, Any]], FakeServer, Path]


def test_a_failed_call_is_an_error_never_a_score_and_never_recorded(told: Told) -> None:
    rows, server, out = told
    recorded = {entry.request.messages[-1].content for entry in entries(out)}
    for name, (_, kind, tries) in ERRORS.items():
        row, (text,) = rows[name], (prompts.render(each)[-1].content for each in questions([name]))
        assert (row["confidence"], row["reply"], row["reply_correct"], row["correct"]) == (None,) * 4, name
        assert row["finish"] == f"failed: {kind}", name
        assert row["error"].startswith(f"{kind}: "), name
        assert row["reason"] == "a model call failed", name
        assert sum(sent["messages"][-1]["content"] == text for sent in server.requests) == tries, name
        assert text not in recorded, name


def test_a_number_that_is_no_log_probability_is_a_null_with_its_reason(told: Told) -> None:
    for name, (_, reason) in NULLS.items():
        row = told[0][name]
        assert (row["confidence"], row["reason"], row["error"]) == (None, reason, ""), name
        assert (row["reply"], row["reply_correct"]) == ("amber", True), name


def test_what_is_odd_but_whole_is_scored_between_0_and_1(told: Told) -> None:
    for name in SCORES:
        row = told[0][name]
        assert row["confidence"] is not None and 0 <= row["confidence"] <= 1, name
    assert told[0]["bytes absent"]["confidence"] == pytest.approx(0.60653066)
    assert told[0]["a whole stream"]["confidence"] == pytest.approx(0.60653066)
    assert told[0]["rounded above one"]["confidence"] == 1


def test_tokens_the_server_did_not_count_are_unknown_never_zero(told: Told) -> None:
    counts = {name: (row["tokens_in"], row["tokens_out"]) for name, row in told[0].items()}
    assert counts["usage gone"] == (None, None)
    assert counts["usage with floats"] == (3, None)
    assert counts["bytes absent"] == (3, 1)


def test_such_a_run_is_incomplete_and_names_its_errors(told: Told) -> None:
    info = json.loads((told[2] / "run.json").read_text())
    assert info["status"] == "incomplete"
    assert sum(info["errors"].values()) == len(ERRORS)
    assert set(info["errors"]) == {kind for _, kind, _ in ERRORS.values()}


@pytest.mark.parametrize(
    "refusal",
    [
        error(401, "Incorrect API key provided"),
        error(429, "You exceeded your current quota", "insufficient_quota"),
    ],
)
def test_a_key_or_a_quota_that_is_refused_stops_the_run_and_keeps_what_was_done(tmp_path: Path, refusal: Any) -> None:
    asked = questions(range(60))
    server = FakeServer(faults=[*[None] * 20, *[refusal] * 200], bill=str(tmp_path / "bill"))
    with pytest.raises(Refused) as refused:
        assay(server, asked, tmp_path / "run", max_connections=8)
    assert refused.value.exit_code == 4
    assert len(server.requests) <= 20 + 8  # those in flight; no other was sent
    assert len(list(entries(tmp_path / "run"))) == 20
    again = FakeServer(port=server.port)
    items = assay(again, asked, tmp_path / "run")
    assert len(again.requests) + 20 == 60
    assert items["confidence"].null_count() == 0
