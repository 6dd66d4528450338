"""The key of an answer: everything that determines it, and nothing else."""

from dataclasses import asdict, fields, replace
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from doxa import journal
from doxa.inquiry import Caller
from doxa.journal import key_of
from doxa.models.openai import OpenAI
from doxa.types import Message, Request

TEXT = st.text(max_size=4)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
NUMBER = st.floats(0, 2, allow_nan=False)
WHOLE = st.integers(0, 5)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "messages": st.lists(st.builds(Message, st.sampled_from(("user", "system", "assistant")), TEXT), max_size=3).map(
        tuple
    ),
    "prefill": TEXT,
    "n": WHOLE,
    "temperature": NUMBER,
    "top_p": NUMBER,
    "max_tokens": WHOLE,
    "stop": TEXTS,
    "seed": st.none() | WHOLE,
    "top_logprobs": st.none() | WHOLE,
    "statistics": TEXTS,
    "continuation": st.none() | TEXT,
    "decoding": st.none() | TEXT,
    "tools": TEXTS,
}
REQUESTS = st.builds(Request, **VALUES)
FIELDS = [field.name for field in fields(Request)]


def check_field(name: str) -> None:
    """Requests have the same key exactly if they are equal, when they differ in this field at most."""

    @settings(phases=(Phase.generate,), max_examples=100)
    @given(REQUESTS, VALUES[name])
    def same_exactly_if_equal(request: Request, value: Any) -> None:
        other = replace(request, **{name: value})
        assert (key_of("m", request) == key_of("m", other)) == (request == other)

    same_exactly_if_equal()


def test_every_field_is_tested() -> None:
    assert set(VALUES) == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_counts(name: str) -> None:
    check_field(name)


@pytest.mark.parametrize("name", FIELDS)
def test_a_key_without_a_field_would_be_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(value: list[Any]) -> bytes:
        model, request = value
        return msgspec.json.encode([model, {key: part for key, part in asdict(request).items() if key != name}])

    monkeypatch.setattr(journal, "_encode", without)
    with pytest.raises(AssertionError):
        check_field(name)


@given(REQUESTS, TEXT, TEXT)
def test_the_model_counts(request: Request, one: str, other: str) -> None:
    assert (key_of(one, request) == key_of(other, request)) == (one == other)


def test_name_revision_and_address_are_the_model() -> None:
    models = [OpenAI(name, base_url=f"http://{host}/v1") for name in ("a", "a@2") for host in ("one", "two")]
    assert len({Caller(model).identity for model in models}) == 4


@given(st.lists(TEXT, min_size=2, max_size=4, unique=True))
def test_order_counts_where_it_means_something(texts: list[str]) -> None:
    plain = Request((Message("user", "q"),), stop=tuple(texts))
    assert key_of("m", plain) != key_of("m", replace(plain, stop=tuple(reversed(texts))))


def test_keys_are_those_of_every_release() -> None:
    """A key that changes makes every journal there is worthless."""
    plain = Request((Message("user", "Who wrote Hamlet?"),))
    assert key_of("model\nhttp://localhost/v1", plain).hex() == "c767824f24027b7a9df5e9ee702d93eb"
    assert (
        key_of("model\n", replace(plain, seed=7, temperature=0.5, stop=("\n",))).hex()
        == "7803dfec51201f3a45c2b00969d37933"
    )
