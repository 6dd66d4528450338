"""What all graders decide alike: unknown gold answers, empty replies, questions without an answer, refusals."""

from __future__ import annotations

from doxa.text import is_refusal, normalise, says_nonexistent, says_unknown
from doxa.types import Question, Verdict


def settle(question: Question, text: str) -> Verdict | None:
    """The verdict that needs no reading of the answer, or `None` if the reply has to be read.

    Where nothing is right (`answers == ()`), saying "I don't know", refusing, or denying that there is such a thing is
    right. A reply that is an accepted answer word for word is right for every kind.
    """
    if question.answers is None:
        return Verdict(None, reason="gold answer unknown")
    if not text.strip():
        return Verdict(None, reason="empty reply")
    if question.answers == ():
        if declines(text) or says_nonexistent(text):
            return Verdict(True, reason="declined, and nothing is right")
        return Verdict(False, reason="answered although nothing is right")
    words = normalise(text)
    if any(text.strip() == answer.strip() or (words and words == normalise(answer)) for answer in question.answers):
        return Verdict(True)
    return None


def declines(text: str) -> bool:
    """Whether a reply gives no answer: it does not know, or it refuses."""
    return says_unknown(text) or is_refusal(text)


def unread(text: str, what: str) -> Verdict:
    """The verdict on a reply in which nothing readable was found: wrong if it declines, else not to be graded."""
    return Verdict(False, reason="refused") if declines(text) else Verdict(None, reason=f"no {what} in the reply")
