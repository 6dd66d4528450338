"""Several replies to one question: the same prompt drawn again, its instruction put in other words, or with hints."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from doxa.errors import Unavailable
from doxa.estimators.elicitation.hints import pointed_at
from doxa.estimators.elicitation.reading import Guess, guesses, probed
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry, derive_seed
from doxa.prompts import elicitation
from doxa.text import canonical, short_answer

Trial = Sequence[Guess]
"""What one reply says: its answers, best first; several only where several were asked for."""

_NOTHING = Guess("", None, None)
_LINE, _EXPLANATION, _STEP, _GUESS = 32, 96, 40, 16
"""Tokens that a line with the answer takes, an explanation, a step, and a guess with its probability."""


def first(trial: Trial) -> Guess:
    """The best answer of a reply; nothing where there is none."""
    return trial[0] if trial else _NOTHING


@dataclass(frozen=True, slots=True)
class Form:
    """One prompt put to a question; `count` is the number of steps or guesses."""

    prompt: str
    count: int = 0

    @property
    def max_tokens(self) -> int:
        """Room for a reply of this form."""
        room = {"cot": _EXPLANATION + _LINE, "multi_step": _STEP * self.count + _LINE, "top_k": _GUESS * self.count}
        return room.get(self.prompt, _LINE)

    async def once(self, inquiry: Inquiry, *, way: int = 0, hint: str = "") -> Trial:
        """The likeliest reply, to the instruction in one of its wordings, with a hint if there is one."""
        messages = elicitation.elicit(inquiry.messages, inquiry.kind, self.prompt, way=way, count=self.count, hint=hint)
        begin = prefill(inquiry, elicitation.BEGIN[self.prompt])
        said = await inquiry.ask(messages, prefill=begin, max_tokens=self.max_tokens)
        return guesses(inquiry, self.prompt, begin + said.text)

    async def drawn(self, inquiry: Inquiry, n: int, temperature: float) -> list[Trial]:
        """`n` replies drawn at a temperature."""
        messages = elicitation.elicit(inquiry.messages, inquiry.kind, self.prompt, count=self.count)
        begin = prefill(inquiry, elicitation.BEGIN[self.prompt])
        said = await inquiry.draws(messages, n, temperature=temperature, prefill=begin, max_tokens=self.max_tokens)
        return [guesses(inquiry, self.prompt, begin + reply.text) for reply in said]

    async def paraphrased(self, inquiry: Inquiry, n: int) -> list[Trial]:
        """The likeliest reply to each of the first `n` wordings of the instruction."""
        return list(await asyncio.gather(*(self.once(inquiry, way=way) for way in range(n))))

    async def misled(self, inquiry: Inquiry, n: int, temperature: float) -> list[Trial]:
        """The likeliest reply without a hint, then to each of the first `n` hints.

        Raises `Unavailable` where the former holds no readable answer: there is then nothing to keep or give up.
        """
        unhinted = await self.once(inquiry)
        own = first(unhinted).form
        if own is None:
            raise Unavailable("the reply without a hint holds no readable answer")
        random = Random(derive_seed(inquiry.asking.seed, inquiry.id, "hints"))
        others = await rivals(inquiry, own, n, temperature) if inquiry.kind == "open" else []
        hints = [
            elicitation.hinted(hint, pointed_at(inquiry.kind, len(inquiry.choices), own, others, random))
            for _, hint in elicitation.HINTS[1 : n + 1]
        ]
        return [unhinted, *await asyncio.gather(*(self.once(inquiry, hint=hint) for hint in hints))]


async def rivals(inquiry: Inquiry, own: str, n: int, temperature: float) -> list[str]:
    """Answers among `n` samples of the question that differ from the `own` one, as they are written."""
    drawn = await inquiry.samples(n, temperature=temperature)
    found = {canonical(reply.text, inquiry.kind): short_answer(reply.text) for reply in drawn}
    return [text for form, text in found.items() if form not in (None, own)]


async def sampled(inquiry: Inquiry, n: int, temperature: float) -> list[Trial]:
    """Samples of the question itself, or if it is one the reply: answers in which no confidence is stated."""
    drawn = [await inquiry.reply()] if n == 1 else await inquiry.samples(n, temperature=temperature)
    forms = [canonical(reply.text, inquiry.kind, inquiry.choices) for reply in drawn]
    return [[Guess(short_answer(reply.text), form, None)] for reply, form in zip(drawn, forms, strict=True)]


async def probe(inquiry: Inquiry, trials: Sequence[Trial]) -> list[Trial]:
    """The first answer of each trial with the confidence stated in it in a fresh conversation that shows it."""
    return list(await asyncio.gather(*(_probe(inquiry, trial) for trial in trials)))


async def _probe(inquiry: Inquiry, trial: Trial) -> Trial:
    if first(trial).form is None:
        return trial[:1]
    begin = prefill(inquiry, elicitation.BEGIN["probe"])
    messages = elicitation.probe(inquiry.messages, inquiry.kind, trial[0].text)
    said = await inquiry.ask(messages, prefill=begin, max_tokens=_EXPLANATION)
    return [trial[0]._replace(confidence=probed(begin + said.text))]
