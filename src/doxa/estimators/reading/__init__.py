"""What several estimators read off a reply: its log-probabilities and words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from doxa.errors import Unavailable, UsageError
from doxa.inquiry import Inquiry
from doxa.prompts import letters
from doxa.text import canonical
from doxa.types import Kind, Reply, Token

V = TypeVar("V")


async def answered(inquiry: Inquiry) -> tuple[Reply, str]:
    """The reply under judgement, and the normalised form of its answer.

    Raises `Unavailable` when it holds no readable answer: there is then nothing to be sure of.
    """
    reply = await inquiry.reply()
    answer = canonical(reply.text, inquiry.kind, inquiry.choices)
    if answer is None:
        raise Unavailable("the reply holds no readable answer")
    return reply, answer


def check_samples(samples: int, least: int = 1) -> None:
    """Raise `UsageError` for fewer samples than a comparison takes: one beside the reply, two among themselves."""
    if samples < least:
        raise UsageError(f"{samples} samples are too few to compare", hint=f"samples is at least {least}")


def is_control(text: str) -> bool:
    """Whether a token is shown as a name in angle brackets alone (<|im_end|>, </s>): it is no part of a text."""
    return re.fullmatch(r"\s*<[^<>\s]+>\s*", text) is not None


def token_logprobs(tokens: Sequence[Token] | None) -> list[float]:
    """Log-probability of every token, all finite. Raises `Unavailable` when there are no tokens or one has none."""
    if tokens is None:
        raise Unavailable("the model gave no log-probabilities")
    if not tokens:
        raise Unavailable("a reply is empty, so it has no probability that tokens tell")
    values = [token.logprob for token in tokens if token.logprob is not None]
    if len(values) < len(tokens):
        raise Unavailable("the model gave no log-probability for a token")
    impossible = next((value for value in values if not math.isfinite(value)), None)
    if impossible is not None:
        raise Unavailable(f"the model gave a token of its own reply the log-probability {impossible}")
    return values


def token_statistics(reply: Reply, name: str) -> list[float]:
    """A statistic of every token of a reply. Raises `Unavailable` when one is not there."""
    if not reply.tokens or any(name not in token.stats for token in reply.tokens):
        raise Unavailable(f"the model gave no {name} of its tokens")
    return [token.stats[name] for token in reply.tokens]


async def logprobs_alone(inquiry: Inquiry, reply: Reply) -> list[float]:
    """Log-probability of each of a reply's tokens without the question: its text by itself, teacher-forced.

    Raises `Unavailable` when the model cannot do that, or when the text by itself falls into other tokens.
    """
    alone = await inquiry.logprobs((), reply.text)
    if [token.text for token in alone] != [token.text for token in reply.tokens or ()]:
        raise Unavailable("the reply's text without the question falls into other tokens than the reply")
    return token_logprobs(alone)


def the_word(text: str, meanings: Mapping[str, V]) -> V | None:
    """Meaning of the word among `meanings` that the text uses; `None` when it uses none of them or several meanings."""
    found = {meanings[word] for word in re.findall(r"[a-z]+", text.lower()) if word in meanings}
    return found.pop() if len(found) == 1 else None


def prefill(inquiry: Inquiry, text: str) -> str:
    """`text` where the model lets us begin its turn, else nothing."""
    caller = inquiry.callers.get("subject")
    return text if caller is not None and caller.capabilities.prefill else ""


def option_meanings(kind: Kind, count: int) -> dict[str, str]:
    """How each option may be written as a reply, with its canonical form: letters of `count` choices, or yes and no."""
    if kind == "boolean":
        return {"Yes": "yes", "yes": "yes", "No": "no", "no": "no"}
    return {letter: str(number) for number, letter in enumerate(letters(count))}


def by_meaning(meanings: Sequence[str], probabilities: Sequence[float]) -> dict[str, float]:
    """The probabilities of each meaning together.

    >>> by_meaning(["yes", "yes", "no"], [0.5, 0.25, 0.25])
    {'yes': 0.75, 'no': 0.25}
    """
    found = dict.fromkeys(meanings, 0.0)
    for meaning, p in zip(meanings, probabilities, strict=True):
        found[meaning] += p
    return found
