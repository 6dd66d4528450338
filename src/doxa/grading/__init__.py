"""Is the reply right? One grader per kind of answer; what cannot be graded is `None`, with the reason."""

from __future__ import annotations

from doxa.grading.boolean import Boolean
from doxa.grading.choice import Choice
from doxa.grading.date import Date
from doxa.grading.exact import Exact
from doxa.grading.number import Number
from doxa.types import Question, Verdict

__all__ = ["Boolean", "Choice", "Date", "Exact", "Number", "grade"]


async def grade(question: Question, text: str) -> Verdict:
    """Grade a reply by the grader of its question's kind, with default knobs.

    Common to all kinds: no gold answer or an empty reply is `None`; an answerable question that is declined is wrong,
    with the reason "refused"; where nothing is right, declining is right and any answer is wrong.
    """
    match question.kind:
        case "choice":
            return await Choice().grade(question, text)
        case "number":
            return await Number().grade(question, text)
        case "date":
            return await Date().grade(question, text)
        case "boolean":
            return await Boolean().grade(question, text)
        case "open":
            return await Exact().grade(question, text)
