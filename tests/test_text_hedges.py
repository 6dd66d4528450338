"""Hedges can be put before an answer, exchanged and taken off again, and never touch its own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.errors import UsageError
from doxa.estimators.hedging import heard
from doxa.estimators.lexicon import SURVEY
from doxa.text import claim, hedged, is_refusal, says_unknown, unhedged
from doxa.text.hedges import STYLES, Style

PIECES = [
    "Paris", "I think", "I'm not sure, but", "maybe", "probably", "It is", "that", "the", ",", ", I think", ".", "(",
    "I don't know", "but I am not certain", "my best guess is:", " ", "\n", "This is likely:", "perhaps", "42", "É",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join))
PROBABILITIES = st.one_of(st.none(), st.floats(0, 1))


@given(TEXTS, st.sampled_from(STYLES), PROBABILITIES, st.sampled_from(STYLES), PROBABILITIES)
def test_hedging_is_idempotent_reversible_and_exchangeable(
    text: str, style: Style, p: float | None, other: Style, q: float | None
) -> None:
    once, bare = hedged(text, style, p), unhedged(text)
    assert hedged(once, style, p) == once
    assert unhedged(once) == bare == unhedged(bare)
    assert hedged(once, other, q) == hedged(text, other, q)


@given(TEXTS, st.sampled_from(STYLES), PROBABILITIES)
def test_the_words_of_the_answer_are_never_touched(text: str, style: Style, p: float | None) -> None:
    bare = unhedged(text)
    assert bare in text and hedged(text, style, p).endswith(bare)
    assert bare or not text.strip()


@given(st.sampled_from(["Paris.", "It is 42.", "No.", "The Nile is longer."]), st.sampled_from(STYLES))
def test_a_plain_answer_comes_back_as_it_was(answer: str, style: Style) -> None:
    for percent in (*range(101), None):
        probability = None if percent is None else percent / 100
        assert unhedged(hedged(answer, style, probability)) == answer
        assert claim(hedged(answer, style, probability)) == answer


@pytest.mark.parametrize("style", STYLES)
def test_people_would_hear_the_probability_that_was_worded(style: Style) -> None:
    values = sorted(value for value in SURVEY.values())
    for percent in range(95):
        said = heard(hedged("Paris.", style, percent / 100)).value
        assert said in values and abs(said - percent / 100) < 0.15  # the survey has no phrase between 0.25 and 0.51
    assert heard(hedged("Paris.", style, 0.95)).value is None
    levels = [heard(hedged("Paris.", style, percent / 100)).value or 1.0 for percent in range(101)]
    assert levels == sorted(levels) and len(set(levels)) == 10


def test_the_two_styles_differ_in_who_speaks() -> None:
    for probability in (None, 0.05, 0.3, 0.5, 0.7, 0.92):
        own, general = (hedged("Paris.", style, probability).lower() for style in STYLES)
        assert own.startswith(("i ", "i'")) and not {"i", "i'm", "my"} & set(general.split())


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("I'm not sure, but I think it's Lima.", "it's Lima."),
        ("I am not entirely sure about this, but the capital is Lima.", "the capital is Lima."),
        ("It is highly likely that it was Lima", "it was Lima"),
        ("There is a very good chance that it is Lima.", "it is Lima."),
        ("My best guess would be Lima.", "Lima."),
        ("Probably Lima, but I'm not certain.", "Lima"),
        ("Lima (I think)", "Lima"),
        ("To the best of my knowledge, maybe Lima.", "Lima."),
        ("I think therefore I am.", "I think therefore I am."),
        ("Maybe", "Maybe"),
        ("I'm not sure.", "I'm not sure."),
        ("I doubt that it is Lima.", "I doubt that it is Lima."),
        ("I thinker", "I thinker"),
        ("Likelihood is a number.", "Likelihood is a number."),
    ],
)
def test_hedges_that_leave_the_claim_standing_are_taken_off(text: str, bare: str) -> None:
    assert unhedged(text) == bare


@pytest.mark.parametrize("text", ["I don't know.", "I'm sorry, I can't help with that.", "", "  "])
def test_what_declines_to_answer_is_not_hedged(text: str) -> None:
    assert hedged(text) == text.strip() and (says_unknown(text) or is_refusal(text) or not text.strip())


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        ("It is probably Lima.", "It is Lima."),
        ("It might well be Lima.", "It is Lima."),
        ("It is Lima, I believe.", "It is Lima"),
        ("It is definitely Lima.", "It is Lima."),
        ("In May it rains.", "In May it rains."),
    ],
)
def test_claims_are_what_is_left_of_a_sentence_without_its_hedges(text: str, claimed: str) -> None:
    assert claim(text) == claimed


def test_another_style_or_no_probability_is_refused() -> None:
    with pytest.raises(UsageError, match="no style"):
        hedged("Lima", "royal")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no probability"):
        hedged("Lima", probability=1.2)


def test_long_texts_take_no_time() -> None:
    for text in ("(" * 50_000, "maybe " * 20_000, " , " * 50_000, "I think " * 20_000 + "so", "- " * 50_000):
        assert unhedged(text) in text
