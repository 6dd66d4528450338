"""What the mock answers when its reasoning is stopped, and how it goes on when it is told to."""

from __future__ import annotations

from collections.abc import Sequence

from doxa.models.planted import voice
from doxa.models.planted.reasoning import reasoned_about, routes
from doxa.models.planted.voice import Distribution
from doxa.prompts import reasoning, thinking
from doxa.types import Message


def forced(turns: Sequence[Message], begun: str) -> Distribution | None:
    """What follows reasoning that was begun for it, where the answer is due or it is told to wait.

    The reasoning convinces it: of the answer that its lines name it believes the more, the more of them are shown, up
    to half of its doubt less. Before they name one it believes what it always did.
    """
    stop, wait = begun.endswith(reasoning.ANSWER), begun.endswith(thinking.WAIT)
    question = reasoned_about(turns) if turns and (stop or wait) else None
    if question is None:
        return None
    shown = begun.removesuffix(reasoning.ANSWER).split(thinking.WAIT)[0].rstrip()
    believed = persuaded(voice.answers(question), shown, routes(question))
    return {_said(answer, go_on=wait): p for answer, p in believed.items()}


def persuaded(believed: Distribution, shown: str, whole: Distribution) -> Distribution:
    """Beliefs after a beginning of a chain: all are kept unless what is shown can only lead to one answer."""
    led = [text for text in whole if text.startswith(shown)]
    named = {text.rpartition(" ")[2] for text in led} if shown else set()
    if len(named) != 1:
        return believed
    [answer] = named
    share = len(shown) / len(led[0].rpartition("\n")[0])
    return {other: p * (1 - share / 2) + (share / 2 if other == answer else 0) for other, p in believed.items()}


def _said(answer: str, *, go_on: bool) -> str:
    return f" that is {answer} again.\n{reasoning.ANSWER} {answer}" if go_on else f" {answer}"
