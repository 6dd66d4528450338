"""Grades dates."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from doxa.grading.rules import settle, unread
from doxa.text import answer_sentence, dates, short_answer
from doxa.types import Question, Verdict

_RECKONED = re.compile(r"\b(?:days?|weeks?|months?|years?|after|before|from|since|until)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Date:
    """Right if a reply's date is an accepted one, or at most `days` away from it.

    A date of the question counts unless words of reckoning ("8 days after") show that the question is repeated; several
    other dates are `None`.
    """

    days: int = 0

    async def grade(self, question: Question, text: str) -> Verdict:
        """Grade one reply."""
        settled = settle(question, text)
        if settled is not None:
            return settled
        answer = short_answer(text)
        found = set(dates(answer) or dates(answer_sentence(text)) or dates(text))
        found = found - set(dates(question.text)) or (set() if _RECKONED.search(answer) else found)
        if not found:
            return unread(text, "date but those of the question")
        if len(found) > 1:
            return Verdict(None, reason=f"{len(found)} different dates in the reply")
        near = datetime.timedelta(days=self.days)
        gold = [day for answer in question.answers or () for day in dates(answer)]
        return Verdict(any(abs(said - day) <= near for said in found for day in gold))
