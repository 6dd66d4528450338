"""The mock's bank: right by counting, unique, and within its limits."""

from __future__ import annotations

from itertools import cycle, islice

import pytest

from doxa.errors import UsageError
from doxa.questions.planted import Planted


def test_answers_are_right_by_counting_beads() -> None:
    questions = Planted(n=50, seed=3).questions()
    assert len({question.id for question in questions}) == 50
    for question in questions:
        listed, asked = question.text.removeprefix("The beads on a string repeat in this order: ").split(". What")
        place = int(asked.removesuffix("?").rpartition(" ")[2])
        assert question.answers == (list(islice(cycle(listed.split(", ")), place))[-1],)


def test_choices_hold_the_answer_and_the_same_question() -> None:
    for opened, chosen in zip(Planted(n=5).questions(), Planted(n=5, kind="choice").questions(), strict=True):
        assert (chosen.text, chosen.answers) == (opened.text, opened.answers)
        assert set(chosen.answers or ()) < set(chosen.choices) and opened.choices == ()


@pytest.mark.parametrize("knobs", [{"n": 0}, {"n": 9001}, {"kind": "essay"}])
def test_other_knobs_are_refused(knobs: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="planted"):
        Planted(**knobs)  # type: ignore[arg-type]
