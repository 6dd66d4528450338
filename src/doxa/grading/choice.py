"""Grades the pick of one option."""

from __future__ import annotations

from dataclasses import dataclass

from doxa.grading.rules import settle, unread
from doxa.text import choice_letter
from doxa.types import Question, Verdict


@dataclass(frozen=True)
class Choice:
    """Right if the option that a reply picks, by letter or by its text, is an accepted one; no or several: `None`."""

    async def grade(self, question: Question, text: str) -> Verdict:
        """Grade one reply."""
        settled = settle(question, text)
        if settled is not None:
            return settled
        index = choice_letter(text, question.choices)
        if index is None:
            return unread(text, "single option")
        return Verdict(question.choices[index] in (question.answers or ()))
