"""Grades yes and no."""

from __future__ import annotations

from dataclasses import dataclass

from doxa.grading.rules import settle, unread
from doxa.text import yes_no
from doxa.types import Question, Verdict


@dataclass(frozen=True)
class Boolean:
    """Right if a reply says yes (or true) where that is accepted, no (or false) where that is; neither: `None`."""

    async def grade(self, question: Question, text: str) -> Verdict:
        """Grade one reply."""
        settled = settle(question, text)
        if settled is not None:
            return settled
        said = yes_no(text)
        if said is None:
            return unread(text, "yes or no")
        return Verdict(said in {yes_no(answer) for answer in question.answers or ()})
