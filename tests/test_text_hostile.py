"""Every reader of text is quick on hostile texts, and fails on none."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa import text as t
from doxa.text import replies, words

CITIES = ("Rome", "Paris", "Bern", "New York")
LENGTH = 100_000
PIECES = (
    "a| |\n|1|1,|1 |1.|1/|1-|1=2 |(|{|\\boxed{|answer is |A or |May |1 May |%|85% |60 to |not |confidence is is is "
    "|*|_|`|'|- |e\u0301\u0316|\u0301\u0316|\x1b[|\x1b]|is |i think |twenty |= |as an ai |I don't know |sorry |巴|١"
    "|²|1²|St. |A.\n|the |\u00a0"
)
ADVERSARIAL = [piece * (LENGTH // len(piece)) for piece in PIECES.split("|")]
ADVERSARIAL += [(run * 3000 + "x") * (LENGTH // 3001) for run in (".", "*", "-", "(", "\u0301", " ", "_", "1", "!)")]
ADVERSARIAL.append("".join(Random(0).choices("aA1,. -%()*'\n=/é\u0301“", k=LENGTH)))
READERS: dict[str, Callable[[str], object]] = {
    "normalise": t.normalise,
    "clean": t.clean,
    "contains_phrase": lambda text: t.contains_phrase(text, "a b"),
    "short_answer": t.short_answer,
    "choice_letter": lambda text: t.choice_letter(text, CITIES),
    "yes_no": t.yes_no,
    "says_unknown": t.says_unknown,
    "is_refusal": t.is_refusal,
    "says_nonexistent": t.says_nonexistent,
    "stated_percent": t.stated_percent,
    "numbers": t.numbers,
    "number_in": t.number_in,
    "dates": t.dates,
    "durations": t.durations,
    "canonical": lambda text: t.canonical(text, "open"),
}


@pytest.mark.parametrize("name", READERS)
def test_hostile_texts_of_a_hundred_thousand_characters_take_no_time(name: str) -> None:
    for text in ADVERSARIAL:
        assert (
            min(_seconds(READERS[name], text) for _ in range(1 if _seconds(READERS[name], text) < 0.05 else 3)) < 0.05
        )


def _seconds(read: Callable[[str], object], text: str) -> float:
    gc.disable()  # in a process of many objects one collection takes longer than any reader
    try:
        start = time.thread_time()
        read(text)
        return time.thread_time() - start
    finally:
        gc.enable()


@given(st.text(max_size=200))
def test_no_reader_fails_on_any_text(text: str) -> None:
    for read in READERS.values():
        read(text)
    assert t.short_answer(text) == "" or text.strip()


def test_long_texts_are_not_kept_in_memory() -> None:
    before = words._remembered.cache_info().currsize
    assert t.normalise("The A" * 9000) == t.normalise("the a" * 9000)
    assert words._remembered.cache_info().currsize == before
    hits = replies._answer_sentence.cache_info().hits
    assert t.answer_sentence("a b " * 1000 + "c") == t.answer_sentence("a b " * 1000 + "d")
    assert replies._answer_sentence.cache_info().hits == hits + 1  # kept by what is read of them
