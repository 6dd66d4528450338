"""The model's own answer in a sentence of its own, asked for with or without hedges."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from doxa.errors import UsageError
from doxa.estimators.lexicon import SURVEY
from doxa.inquiry import Inquiry
from doxa.prompts import hedging
from doxa.text import canonical, claim, is_refusal, says_unknown
from doxa.types import Message, Reply

FORM: Mapping[str, Any] = MappingProxyType({"max_tokens": 48, "stop": ("\n",)})
"""What a request for one sentence asks for."""


class Said(NamedTuple):
    """What was said, what that claims without its hedges, and the normal form of the answer in it."""

    text: str
    claim: str
    answer: str | None
    """`None` for a refusal and for what is no answer."""


def check_prompt(prompt: str, variant: int) -> None:
    """Raise `UsageError` for a prompt or a variant that does not exist."""
    if prompt not in hedging.PROMPTS:
        raise UsageError(f"no prompt named {prompt!r}", hint=f"there are: {', '.join(hedging.PROMPTS)}")
    if not 0 <= variant < hedging.variants(prompt):
        raise UsageError(f"{prompt} has no variant {variant}", hint=f"from 0 to {hedging.variants(prompt) - 1}")


def sentence_asked(inquiry: Inquiry, prompt: str, variant: int) -> tuple[Message, ...]:
    """The messages that ask for the answer in a sentence."""
    return hedging.hedged_answer(inquiry.messages, inquiry.kind, prompt, variant, SURVEY)


async def own_sentence(inquiry: Inquiry, prompt: str, variant: int) -> Said:
    """The likeliest sentence."""
    return said(inquiry, await inquiry.ask(sentence_asked(inquiry, prompt, variant), **FORM))


def declines(text: str) -> bool:
    """Whether a sentence is a refusal or says that it does not know."""
    return says_unknown(text) or is_refusal(text)


def said(inquiry: Inquiry, reply: Reply) -> Said:
    """What a sentence says."""
    claimed = claim(reply.text)
    return Said(reply.text, claimed, canonical(claimed, inquiry.kind, inquiry.choices))
