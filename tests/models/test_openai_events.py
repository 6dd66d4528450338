"""Answers as streams of events: whole ones read alike however they are cut into pieces, broken ones are no answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doxa.models.http.events import Cut, Events, completion
from doxa.models.http.faults import Fault, is_stream, read_body
from doxa.models.http.parsing import outcomes
from doxa.types import Outcome, Reply
from fake_server import stream

WORDS = [f"wört{number}😀" for number in range(57)]
TOKENS = [{"token": word, "logprob": -0.5, "top_logprobs": [{"token": word, "logprob": -0.5}]} for word in WORDS]
BODY: dict[str, Any] = {
    "model": "m-1",
    "system_fingerprint": "fp",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": " ".join(WORDS)},
            "finish_reason": "stop",
            "logprobs": {"content": TOKENS},
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 57},
}
SIXTY = stream(BODY)
SSE = {"Content-Type": "text/event-stream; charset=utf-8"}


def read(body: bytes) -> dict[str, Any] | Fault:
    return read_body(200, SSE, body, 0.0)


def answers(body: bytes) -> list[Outcome]:
    found = read(body)
    assert isinstance(found, dict), found
    return outcomes(found)


def fault(body: bytes) -> tuple[str, bool]:
    found = read(body)
    assert isinstance(found, Fault), found
    return found.kind, found.retry


def test_a_stream_of_sixty_chunks_reads_as_the_answer_that_was_not_streamed() -> None:
    assert SIXTY.count(b"data: ") == 61  # sixty chunks and the end
    assert answers(SIXTY) == outcomes(BODY)
    (reply,) = answers(SIXTY)
    assert isinstance(reply, Reply)
    assert (reply.usage.tokens_in, reply.usage.tokens_out, reply.model) == (5, 57, "m-1@fp")


def test_cut_at_any_byte_it_is_no_answer() -> None:
    sixty = events(*(chunk(f"ü{n}") for n in range(58)), chunk(finish="stop"), {"usage": {}}, "[DONE]")
    end = sixty.index(b"[DONE]") + len(b"[DONE]")
    for at in range(1, end):
        with pytest.raises(Cut):
            completion(sixty[:at])
    whole = completion(sixty)
    assert all(completion(sixty[:at]) == whole for at in range(end, len(sixty) + 1))
    assert fault(sixty[: end - 1]) == ("truncated_stream", True)


def events(*chunks: Any) -> bytes:
    lines = (chunk if isinstance(chunk, str) else json.dumps(chunk, ensure_ascii=False) for chunk in chunks)
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish} | more]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (events(chunk("a"), chunk(finish="stop")), "truncated_stream"),
        (events(chunk("a"), "[DONE]"), "truncated_stream"),
        (events(chunk("a"), chunk(finish=""), "[DONE]"), "truncated_stream"),
        (events(chunk("a"), chunk(finish="stop"), chunk(finish="length"), "[DONE]"), "malformed_stream"),
        (events(chunk("a"), chunk(finish="stop"), chunk("b"), "[DONE]"), "malformed_stream"),
        (events(chunk("a"), '{"choices": [{"del', chunk(finish="stop"), "[DONE]"), "malformed_stream"),
        (events(chunk("a"), "[1]", chunk(finish="stop"), "[DONE]"), "malformed_stream"),
        (events({"choices": ["a"]}, "[DONE]"), "malformed_stream"),
        (events({"choices": 5}, "[DONE]"), "malformed_stream"),
        (events(chunk("a"), '{"choices": [{"del'), "truncated_stream"),
        (b": only a comment\n\n", "truncated_stream"),
        (events(chunk("a"), {"error": {"message": "overloaded", "code": 503}}, "[DONE]"), "server_error"),
    ],
)
def test_a_broken_stream_has_a_name_and_is_tried_again(body: bytes, kind: str) -> None:
    assert fault(body) == (kind, True)


def test_an_error_on_the_way_without_a_status_is_named_and_not_tried_again() -> None:
    assert fault(events(chunk("a"), {"error": {"message": "no", "type": "invalid"}}, "[DONE]")) == (
        "bad_request",
        False,
    )


def test_an_error_may_hold_what_no_text_can() -> None:
    error = b'{"error": {"message": "\\ud800 no"}}'
    for body in (error, b"data: " + error + b"\n\n"):
        found = read_body(200, {}, body, 0.0)
        assert isinstance(found, Fault)
        assert (found.kind, found.message) == ("bad_request", "HTTP 400: no")


def test_what_a_stream_says_of_its_end_is_quoted_in_short_and_without_control_characters() -> None:
    end = json.dumps(chunk(finish="\x1b[31m\ud800" + "x" * 10_000))
    found = read(events(chunk("a", "stop"), end, "[DONE]"))
    assert isinstance(found, Fault)
    assert found.message.isprintable() and len(found.message) <= 300


def test_an_error_is_heard_even_where_the_stream_then_ends() -> None:
    assert fault(events(chunk("a"), {"error": {"message": "overloaded", "code": 503}})) == ("server_error", True)


def test_the_same_end_said_twice_is_one_end() -> None:
    (reply,) = answers(events(chunk("a"), chunk(finish="stop"), chunk(finish="stop"), "[DONE]"))
    assert isinstance(reply, Reply)
    assert reply.text == "a"


def test_a_stream_without_text_is_no_content_and_without_choices_none() -> None:
    found = [answers(events(*chunks, "[DONE]"))[0] for chunks in ([chunk(finish="stop")], [])]
    assert [getattr(each, "kind", "reply") for each in found] == ["no_content", "no_choices"]


def test_choices_may_come_in_any_order_and_mixed() -> None:
    mixed = [
        chunk("b", index=1),
        chunk("a"),
        chunk("B", index=1),
        chunk(finish="stop"),
        chunk(finish="length", index=1),
    ]
    first, second = answers(events(*mixed, "[DONE]"))
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert (first.text, first.finish, second.text, second.finish) == ("a", "stop", "bB", "length")


def test_a_stream_is_known_by_its_type_or_its_first_word() -> None:
    assert is_stream(SSE)
    assert is_stream({}, b"data: {}")
    assert not is_stream({"Content-Type": "application/json"}, b'{"data": 1}')


def noisy(body: bytes) -> bytes:
    """With comments, other fields and events without data in between."""
    return body.replace(b"data: ", b": keep-alive\nevent: message\nid: 7\nretry: 10\ndata: ").replace(
        b"\n\n", b"\n\n\n: \n\n"
    )


MANNERS: list[Callable[[bytes], bytes]] = [
    lambda body: body,
    lambda body: body.replace(b"\n", b"\r\n"),
    lambda body: body.replace(b"\n", b"\r"),
    lambda body: body.replace(b"data: ", b"data:"),
    lambda body: b"\xef\xbb\xbf" + body,
    lambda body: body.replace(b', "', b',\ndata: "'),
    noisy,
    lambda body: noisy(body).replace(b"\n", b"\r\n"),
]


@pytest.mark.parametrize("manner", range(len(MANNERS)))
def test_every_manner_of_writing_reads_alike(manner: int) -> None:
    assert answers(MANNERS[manner](SIXTY)) == outcomes(BODY)


@pytest.mark.parametrize("manner", range(len(MANNERS)))
def test_byte_by_byte_it_reads_alike(manner: int) -> None:
    body = MANNERS[manner](SIXTY)
    reader = Events()
    pieces = [event for place in range(len(body)) for event in reader.feed(body[place : place + 1])]
    assert pieces == Events().feed(body)
    assert pieces[-1] == "[DONE]"


@settings(max_examples=300)
@given(st.data(), st.sampled_from(MANNERS))
def test_however_it_is_split_it_reads_alike(data: st.DataObject, manner: Callable[[bytes], bytes]) -> None:
    body = manner(SIXTY)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=40)))
    reader = Events()
    pieces = [
        event
        for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)
        for event in reader.feed(body[start:end])
    ]
    assert pieces == Events().feed(body)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(body: bytes) -> None:
    assert isinstance(read_body(200, SSE, body, 0.0), Fault | dict)
