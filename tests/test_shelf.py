"""Questions on disk are the questions that were put there."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa import shelf
from doxa.shelf import Shelf, question_hash, shelved
from doxa.types import Message, Question

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
questions = st.builds(
    Question,
    id=words.filter(bool),
    text=words,
    answers=st.none() | st.tuples() | st.tuples(words),
    choices=st.tuples() | st.tuples(words, words),
    messages=st.tuples() | st.tuples(st.builds(Message, st.just("user"), words)),
    context=st.none() | words,
    cluster=words,
    tags=st.dictionaries(words, words, max_size=2),
    meta=st.dictionaries(words, st.none() | st.integers(-9, 9) | words | st.lists(st.booleans()), max_size=2),
)


@given(st.lists(questions, max_size=6), st.integers(-7, 7), st.integers(1, 3))
def test_a_shelf_is_the_list_it_was_made_of(made: list[Question], start: int, step: int) -> None:
    held = Shelf(made)
    assert list(held) == made and len(held) == len(made)
    assert held[start::step] == made[start::step]
    assert [held[place - len(made)] for place in range(len(made))] == made
    assert question_hash(held) == question_hash(made)
    with pytest.raises(IndexError, match="none at"):
        held[len(made)]


@given(st.lists(questions, max_size=4))
def test_the_hash_of_questions_is_that_of_their_list_in_json(made: list[Question]) -> None:
    whole = msgspec.json.encode(made, order="deterministic")
    assert question_hash(made) == hashlib.sha256(whole).hexdigest()


def test_few_questions_stay_a_list_and_many_go_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [Question(f"q{number}", "what?") for number in range(9)]
    assert isinstance(shelved(iter(made)), list)
    monkeypatch.setattr(shelf, "ROOM", 20)
    many = shelved(iter(made))
    assert isinstance(many, Shelf)
    assert list(many) == made
