"""Recorded replies as a model."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from doxa.errors import DataError
from doxa.inquiry import Caller, Inquiry
from doxa.models.replay import Replay
from doxa.types import Capabilities, Failure, Message, Model, Outcome, Reply, Request, Token

TOKENS = [{"text": "Pa", "logprob": -0.25, "top": [["Lo", -2.0], ["Pa", -0.25]], "stats": {"entropy": 0.5}}]


def recorded(path: Path, *lines: dict[str, Any]) -> Replay:
    file = path / "log.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Replay(str(file))


def ask(text: str = "Capital?", **fields: Any) -> Request:
    return Request((Message("user", text),), **fields)


def generate(model: Replay, requests: Sequence[Request]) -> list[list[Outcome]]:
    return asyncio.run(model.generate(requests))


def texts(model: Replay, *requests: Request) -> list[str]:
    flat = [outcome for outcomes in generate(model, requests) for outcome in outcomes]
    return [outcome.text if isinstance(outcome, Reply) else outcome.kind for outcome in flat]


def test_greedy_requests_get_the_reply_to_the_same_messages(tmp_path: Path) -> None:
    system = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Capital?"}]
    model = recorded(tmp_path, {"prompt": "Capital?", "reply": "Paris"}, {"messages": system, "reply": "P.", "x": 1})
    assert isinstance(model, Model)
    brief = Request((Message("system", "Be brief."), Message("user", "Capital?")), max_tokens=9)
    assert texts(model, ask(), brief, ask("capital?")) == ["Paris", "P.", "not_recorded"]


def test_a_seed_names_a_sample_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    line = {"prompt": "Capital?", "samples": ["a", {"text": "b", "finish": "length"}, "c"]}
    model = recorded(tmp_path, line, {"prompt": "Capital?", "samples": ["d"]})
    requests = [ask(temperature=1.0, seed=5 * 1024 + number) for number in range(5)]
    assert texts(model, *requests) == ["a", "b", "c", "d", "not_recorded"]
    assert texts(model, *reversed(requests)) == ["not_recorded", "d", "c", "b", "a"]
    assert texts(model, ask(temperature=1.0, n=3)) == ["a", "b", "c"]
    assert texts(model, ask()) == ["not_recorded"]


def test_a_sample_recorded_with_its_seed_answers_that_seed(tmp_path: Path) -> None:
    model = recorded(
        tmp_path,
        {"prompt": "Capital?", "reply": "x", "temperature": 1.0, "seed": 77},
        {"prompt": "Capital?", "reply": "y", "temperature": 0.7},
        {"prompt": "Capital?", "samples": [{"text": "z", "seed": 78}]},
    )
    seeds = [ask(temperature=1.0, seed=seed) for seed in (77, 78, 1024, 79)]
    assert texts(model, *seeds) == ["x", "z", "y", "not_recorded"]
    assert model.capabilities.seed


def test_an_inquiry_draws_each_recorded_sample_once(tmp_path: Path) -> None:
    model = recorded(tmp_path, {"prompt": "Capital?", "reply": "r", "samples": list("abcdefgh")})

    async def main() -> tuple[list[Reply], list[Reply]]:
        inquiry = Inquiry("q", ask().messages, {"subject": Caller(model)})
        return await inquiry.samples(3), await inquiry.samples(8)

    few, all_ = asyncio.run(main())
    assert [reply.text for reply in few] == list("abc")
    assert [reply.text for reply in all_] == list("abcdefgh")


def test_tokens_are_kept_and_tell_what_the_file_offers(tmp_path: Path) -> None:
    model = recorded(tmp_path, {"prompt": "Capital?", "reply": "Pa", "tokens": TOKENS, "model": "m-1"})
    ((reply,),) = generate(model, [ask()])
    assert isinstance(reply, Reply)
    assert reply.tokens == (Token("Pa", -0.25, (("Pa", -0.25), ("Lo", -2.0)), {"entropy": 0.5}),)
    assert reply.model == "m-1"
    assert reply.usage.tokens_out is None
    assert model.capabilities == Capabilities(logprobs=True, top_logprobs=2, statistics=("entropy",), n=True)


def test_scores_are_those_of_the_recorded_continuation(tmp_path: Path) -> None:
    model = recorded(tmp_path, {"prompt": "Capital?", "prefill": "It is", "continuation": " Pa", "tokens": TOKENS})
    assert model.capabilities.score
    assert model.capabilities.prefill
    requests = [ask(prefill="It is", continuation=" Pa"), ask(continuation=" Pa"), ask(prefill="It is")]
    right, *wrong = asyncio.run(model.score(requests))
    assert isinstance(right, Reply)
    assert right.tokens is not None
    assert right.tokens[0].logprob == -0.25
    assert all(isinstance(outcome, Failure) and outcome.kind == "not_recorded" for outcome in wrong)


def test_what_was_never_recorded_says_for_which_prompt(tmp_path: Path) -> None:
    model = recorded(tmp_path, {"prompt": "Capital?", "reply": "Paris"})
    ((failure,),) = generate(model, [ask("What is\nthe " + "long " * 50)])
    assert isinstance(failure, Failure)
    assert failure.message == f"no reply recorded for {('What is the ' + 'long ' * 50)[:60]!r}"
    assert not failure.retryable


def test_the_fingerprint_is_that_of_the_bytes(tmp_path: Path) -> None:
    first = recorded(tmp_path, {"prompt": "a", "reply": "b"})
    assert recorded(tmp_path, {"prompt": "a", "reply": "b"}).fingerprint == first.fingerprint
    assert recorded(tmp_path, {"prompt": "a", "reply": "c"}).fingerprint != first.fingerprint
    assert (first.name, first.base_url) == ("log", "")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "truncated"),
        ("[]", "object"),
        ('{"reply": "x"}', "prompt or messages"),
        ('{"prompt": "a", "messages": [{"role": "user", "content": "a"}], "reply": "x"}', "prompt or messages"),
        ('{"prompt": "a"}', "neither reply"),
        ('{"prompt": "a", "reply": 3}', r"\$.reply"),
        ('{"prompt": "a", "samples": [{"txt": "b"}]}', "text"),
        ('{"prompt": "a", "continuation": "b"}', "tokens"),
        ('{"prompt": "a", "reply": "b", "tokens": [{"text": "b", "logprob": 0.5}]}', r"tokens\[0\].logprob"),
        ('{"prompt": "a", "reply": "b", "tokens": [{"text": "b", "logprob": NaN}]}', "malformed"),
        ('{"prompt": "ok", "reply": "other"}', "another reply"),
    ],
)
def test_a_bad_line_is_named_with_its_field(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"prompt": "ok", "reply": "x"}\n\n' + line + "\n")
    with pytest.raises(DataError, match=f"bad.jsonl, line 3: .*{says}") as refused:
        Replay(file)
    assert refused.value.hint


def test_a_file_without_replies_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    for name in ("empty.jsonl", "missing.jsonl", "."):
        with pytest.raises(DataError):
            Replay(tmp_path / name)


def test_the_same_line_twice_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "twice.jsonl"
    file.write_text('\ufeff{"prompt": "a", "reply": "b"}\r\n{"prompt": "a", "reply": "b"}')
    assert texts(Replay(file), ask("a")) == ["b"]
