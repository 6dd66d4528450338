"""Grades dates."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from doxa.grading.rules import settle, unread
from doxa.text import answer_sentence, dates, short_answer
from doxa.types import Question, Verdict


@dataclass(frozen=True)
class Date:
    """Right if a reply's date is an accepted one, or at most `days` away from it.

    Dates repeated from the question do not count as the answer unless there is no other; several others are `None`.
    """

    days: int = 0

    async def grade(self, question: Question, text: str) -> Verdict:
        """Grade one reply."""
        settled = settle(question, text)
        if settled is not None:
            return settled
        found = set(dates(short_answer(text)) or dates(answer_sentence(text)) or dates(text))
        found = found - set(dates(question.text)) or found
        if not found:
            return unread(text, "date")
        if len(found) > 1:
            return Verdict(None, reason=f"{len(found)} different dates in the reply")
        near = datetime.timedelta(days=self.days)
        gold = [day for answer in question.answers or () for day in dates(answer)]
        return Verdict(any(abs(found.copy().pop() - day) <= near for day in gold))
