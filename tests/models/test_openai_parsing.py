"""Whatever a server sends becomes a named failure or a documented null."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.errors import Refused
from doxa.models.http.dialect import Dialect, clean, seed_of
from doxa.models.http.faults import Fault, explain, one_line, read_body
from doxa.models.http.parsing import logprob, outcomes
from doxa.types import Failure, Message, Reply, Request, Token, Usage


def choice(text: Any = "Paris", finish: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish} | more


def one(body: dict[str, Any]) -> Reply | Failure:
    (outcome,) = outcomes(body)
    return outcome


def test_a_whole_answer() -> None:
    entry = {"token": "Par", "logprob": -0.5, "bytes": [80], "top_logprobs": [{"token": "Lon", "logprob": -1.5}]}
    body = {
        "model": "m-2026",
        "system_fingerprint": "fp_1",
        "choices": [choice(logprobs={"content": [entry]})],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2},
    }
    tokens = (Token("Par", -0.5, (("Lon", -1.5),)),)
    assert one(body) == Reply("Paris", tokens, "stop", "m-2026@fp_1", Usage(1, 7, 2))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "no_choices"),
        ({"choices": []}, "no_choices"),
        ({"choices": None}, "no_choices"),
        ({"choices": [3]}, "no_choices"),
        ({"choices": [choice(None)]}, "no_content"),
        ({"choices": [choice(3)]}, "no_content"),
        ({"choices": [{"finish_reason": "stop"}]}, "no_content"),
        ({"choices": [choice(finish=None)]}, "truncated"),
        ({"choices": [{"message": {"content": "x"}}]}, "truncated"),
        ({"choices": [choice(finish="content_filter")]}, "content_filter"),
    ],
)
def test_what_is_no_answer_is_a_named_failure(body: dict[str, Any], kind: str) -> None:
    outcome = one(body)
    assert isinstance(outcome, Failure)
    assert outcome.kind == kind


@pytest.mark.parametrize(
    ("finish", "expected"), [("stop", "stop"), ("length", "length"), ("eos_token", "stop"), ("tool_calls", "stop")]
)
def test_finish_is_stop_or_length(finish: str, expected: str) -> None:
    outcome = one({"choices": [choice(finish=finish)]})
    assert isinstance(outcome, Reply)
    assert outcome.finish == expected


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (None, (None, None)),
        ({}, (None, None)),
        ({"prompt_tokens": 3.0, "completion_tokens": 2.5}, (3, None)),
        ({"prompt_tokens": "3", "completion_tokens": -1}, (None, None)),
        ({"prompt_tokens": math.inf, "completion_tokens": math.nan}, (None, None)),
        ({"prompt_tokens": 0, "completion_tokens": True}, (0, None)),
        ("many", (None, None)),
    ],
)
def test_unknown_usage_is_unknown_not_zero(usage: Any, tokens: tuple[int | None, int | None]) -> None:
    outcome = one({"choices": [choice()], "usage": usage})
    assert isinstance(outcome, Reply)
    assert outcome.usage == Usage(1, *tokens)


def test_the_usage_of_a_call_is_counted_once() -> None:
    choices = [choice(finish="content_filter", index=0), choice("b", index=2), choice("a", index=1)]
    found = outcomes({"choices": choices, "usage": {"prompt_tokens": 4, "completion_tokens": 6}})
    replies = [outcome for outcome in found if isinstance(outcome, Reply)]
    assert [reply.text for reply in replies] == ["a", "b"]
    assert replies[0].usage + replies[1].usage == Usage(1, 4, 6)


def test_texts_in_parts_and_refusals_are_texts() -> None:
    parts = [{"type": "text", "text": "Pa"}, {"type": "text", "text": "ris"}]
    refusal = {"message": {"content": None, "refusal": "I cannot."}, "finish_reason": "stop"}
    texts = [reply.text for reply in outcomes({"choices": [choice(parts), refusal]}) if isinstance(reply, Reply)]
    assert texts == ["Paris", "I cannot."]


def test_lone_surrogates_are_written_out() -> None:
    body = json.loads('{"choices": [{"message": {"content": "a\\ud800b"}, "finish_reason": "stop"}]}')
    outcome = one(body)
    assert isinstance(outcome, Reply)
    assert outcome.text.encode() == b"a\\ud800b"
    assert clean("zwölf 𝟙") == "zwölf 𝟙"


@pytest.mark.parametrize("logprobs", [None, {}, {"content": None}, [], 3])
def test_logprobs_not_given_are_none(logprobs: Any) -> None:
    outcome = one({"choices": [choice(logprobs=logprobs)]})
    assert isinstance(outcome, Reply)
    assert outcome.tokens is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, -9999.0, -10000, 0.1, "-1", True, [], 1e308])
def test_values_that_are_no_logprob_are_none(value: Any) -> None:
    assert logprob(value) is None
    entry = {"token": "a", "logprob": value, "top_logprobs": [{"token": "b", "logprob": value}]}
    outcome = one({"choices": [choice(logprobs={"content": [entry]})]})
    assert isinstance(outcome, Reply)
    assert outcome.tokens == (Token("a", None, ()),)


@pytest.mark.parametrize("value", [0, -0.0, -1, -1e-9, -9998.9])
def test_values_that_are_logprobs_are_kept(value: float) -> None:
    assert logprob(value) == value


def test_of_two_alternatives_with_one_text_the_likelier_stays() -> None:
    top = [{"token": t, "logprob": v} for t, v in (("a", -3.0), ("b", -1.0), ("a", -2.0), ("b", -9999.0), ("c", -0.5))]
    body = {"choices": [choice(logprobs={"content": [{"token": "zz", "logprob": -8.0, "top_logprobs": top}]})]}
    outcome = one(body)
    assert isinstance(outcome, Reply)
    assert outcome.tokens is not None
    assert outcome.tokens[0].top == (("c", -0.5), ("b", -1.0), ("a", -2.0))


def test_twenty_thousand_tokens_and_tokens_that_do_not_join_are_kept() -> None:
    entries = [{"token": "x", "logprob": -0.1}] * 20_000
    outcome = one({"choices": [choice("short", logprobs={"content": entries})]})
    assert isinstance(outcome, Reply)
    assert outcome.tokens is not None
    assert len(outcome.tokens) == 20_000
    assert outcome.text == "short"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["token", "logprob", "top_logprobs", "content", "message", "finish_reason", "index", "refusal", "text", "bytes"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["choices", "usage", "model", "system_fingerprint", "error"]), JSON))
def test_no_body_raises_and_every_logprob_is_one(body: dict[str, Any]) -> None:
    for outcome in outcomes(body):
        if isinstance(outcome, Reply):
            outcome.text.encode()
            for token in outcome.tokens or ():
                values = [token.logprob, *(value for _, value in token.top)]
                assert all(value is None or 0 <= math.exp(value) <= 1 for value in values)
        else:
            assert outcome.kind


@given(st.integers(100, 599), st.binary(max_size=60), st.dictionaries(st.just("Retry-After"), st.text(max_size=5)))
def test_no_response_raises_anything_but_refused(status: int, body: bytes, headers: dict[str, str]) -> None:
    try:
        found = read_body(status, headers, body, 0.0)
    except Refused:
        assert status in (401, 402, 403)
    else:
        assert isinstance(found, Fault | dict)


def refusal(message: str = "", code: str = "") -> bytes:
    return json.dumps({"error": {"message": message, "code": code}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "retry"),
    [
        (400, refusal("temperature is too high"), "bad_request", False),
        (404, refusal("no such path"), "not_found", False),
        (413, b"", "too_large", False),
        (422, b'{"detail": "field required"}', "bad_request", False),
        (403, refusal("flagged", "content_policy_violation"), "content_filter", False),
        (400, refusal("filtered", "content_filter"), "content_filter", False),
        (403, refusal("your account sent what is flagged", "moderation"), "content_filter", False),
        (403, refusal("not for you"), "forbidden", False),
        (408, b"", "timeout", True),
        (409, b"", "http_409", True),
        (429, refusal("slow down", "rate_limit_exceeded"), "rate_limited", True),
        (500, b"<html>oops</html>", "server_error", True),
        (529, b"", "server_error", True),
        (307, b"", "redirected", False),
        (200, b"", "empty_body", True),
        (200, b" \n", "empty_body", True),
        (200, b"<!doctype html>", "not_json", False),
        (200, b'{"choices": [', "not_json", True),
        (200, b"\xff\xfe\x00", "not_json", True),
        (200, b"[1]", "not_json", False),
        (200, b"[" * 100_000, "not_json", True),
        (200, b'{"error": {"message": "upstream", "code": 502}}', "server_error", True),
        (200, b'{"error": "bad"}', "bad_request", False),
    ],
)
def test_every_bad_response_has_a_name(status: int, body: bytes, kind: str, retry: bool) -> None:
    fault = read_body(status, {}, body, 0.0)
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.retry) == (kind, retry)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, refusal("bad key")),
        (402, refusal("Insufficient Balance")),
        (403, refusal("You have no permission for this", "permission_denied")),
        (429, refusal("You exceeded your current quota", "insufficient_quota")),
    ],
)
def test_key_permission_and_quota_refuse_for_good(status: int, body: bytes) -> None:
    with pytest.raises(Refused, match=f"HTTP {status}: ") as refused:
        read_body(status, {}, body, 0.0)
    assert refused.value.hint


def test_the_server_may_overrule_what_is_tried_again() -> None:
    assert read_body(500, {"x-should-retry": "false"}, b"", 0.0) == Fault("server_error", "HTTP 500")
    again = read_body(400, {"x-should-retry": "true", "Retry-After": "3"}, b"", 0.0)
    assert again == Fault("bad_request", "HTTP 400", retry=True, wait=3.0)


def test_the_servers_sentence_is_found_and_made_safe() -> None:
    assert explain(refusal("No.\x1b[31m\nReally", "X")) == ("No. [31m Really", "x  ")
    assert explain(b'{"error": "plain"}') == ("plain", "")
    assert explain(b'{"detail": [{"msg": "bad"}]}')[0] == "[{'msg': 'bad'}]"
    assert explain(b"Bad Gateway") == ("Bad Gateway", "")
    assert explain(b"<html>") == ("", "")
    assert len(one_line("x" * 1000)) == 300


def ask(**fields: Any) -> Request:
    return Request((Message("user", "hi"),), **fields)


def test_only_what_differs_from_the_default_is_sent() -> None:
    body = Dialect().body("m", ask(), n=1, seed=None)
    expected = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.0, "max_tokens": 64}
    assert body == expected
    full = ask(temperature=0.7, top_p=0.9, max_tokens=5, stop=("\n",), top_logprobs=0, prefill="The")
    body = Dialect(length="max_completion_tokens").body("m", full, n=3, seed=4)
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "The"}],
        "continue_final_message": True,
        "add_generation_prompt": False,
        "temperature": 0.7,
        "top_p": 0.9,
        "max_completion_tokens": 5,
        "stop": ["\n"],
        "n": 3,
        "seed": 4,
        "logprobs": True,
    }


@pytest.mark.parametrize(
    ("complaint", "most"),
    [
        ("Requested sample logprobs of 50, which is greater than max allowed: 20", 20),
        ("Invalid value for 'top_logprobs': must be less than or equal to 5.", 5),
        ("Invalid 'top_logprobs': integer above maximum value. Expected a value <= 20, but got 50 instead.", 20),
        ("logprobs are not supported with this model", None),
    ],
)
def test_the_most_alternatives_are_learnt_from_the_complaint(complaint: str, most: int | None) -> None:
    dialect = Dialect()
    dialect.learn(complaint, dialect.body("m", ask(top_logprobs=50), n=1, seed=None))
    assert dialect.most_top == most
    assert dialect.logprobs == (most is not None)


@pytest.mark.parametrize(
    ("complaint", "several"),
    [
        ("'n' : number must be at most 1", False),
        ("Only one completion choice is allowed", False),
        ("context length exceeded", True),
    ],
)
def test_one_choice_per_call_is_learnt_from_the_complaint(complaint: str, several: bool) -> None:
    dialect = Dialect()
    dialect.learn(complaint, dialect.body("m", ask(), n=4, seed=None))
    assert dialect.several is several


def test_further_choices_have_seeds_of_their_own() -> None:
    seeds = [seed_of(5, index) for index in range(50)]
    assert seeds[0] == 5
    assert len(set(seeds)) == 50
    assert all(seed is not None and 0 <= seed < 2**31 for seed in seeds)
    assert seed_of(None, 3) is None
