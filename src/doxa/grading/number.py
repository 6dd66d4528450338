"""Grades numbers."""

from __future__ import annotations

from dataclasses import dataclass

from doxa.grading.rules import settle, unread
from doxa.text import number_in, numbers, short_answer
from doxa.types import Question, Verdict


@dataclass(frozen=True)
class Number:
    """Right if the number x of a reply is near an accepted one g: ``|x - g| <= absolute + relative * |g|``.

    Units are ignored. A number of the question counts only where the short answer begins with it, or an equation ends
    in it: to repeat a question is no answer. The defaults forgive rounding of floats only; for gold answers that are
    themselves rounded, give a `relative` of, say, 0.01.
    """

    relative: float = 1e-9
    absolute: float = 1e-9

    async def grade(self, question: Question, text: str) -> Verdict:
        """Grade one reply."""
        settled = settle(question, text)
        if settled is not None:
            return settled
        number = number_in(text)
        if number is None or (number in numbers(question.text) and not _gives(short_answer(text), number)):
            return unread(text, "number but those of the question")
        gold = [value for answer in question.answers or () if (value := number_in(answer)) is not None]
        return Verdict(any(abs(number - g) <= self.absolute + self.relative * abs(g) for g in gold))


def _gives(answer: str, number: float) -> bool:
    """Whether an answer begins with a number, or has it after its last "="."""
    result = answer.rpartition("=")[2].split()[:1]
    return bool(result) and number_in(result[0]) == number
