"""Several replies to one question: the same prompt drawn again, its instruction put in other words, or with hints."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from doxa.errors import Unavailable
from doxa.estimators.elicitation.hints import pointed_at
from doxa.estimators.elicitation.reading import Guess, guesses, probed, unfinished
from doxa.estimators.reading import prefill
from doxa.inquiry import Inquiry, derive_seed
from doxa.prompts import elicitation
from doxa.text import canonical, short_answer
from doxa.types import Message, Reply

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

    async def once(self, inquiry: Inquiry, *, way: int = 0, hint: str = "") -> Trial:
        """The likeliest reply, to the instruction in one of its wordings, with a hint if there is one."""
        messages = self._messages(inquiry, way=way, hint=hint)
        return await self._read(inquiry, messages, await inquiry.ask(messages, **self._fields(inquiry)))

    async def drawn(self, inquiry: Inquiry, n: int, temperature: float) -> list[Trial]:
        """`n` replies drawn at a temperature."""
        messages = self._messages(inquiry)
        said = await inquiry.draws(messages, n, temperature=temperature, **self._fields(inquiry))
        return list(await asyncio.gather(*(self._read(inquiry, messages, reply) for reply in said)))

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

    def _messages(self, inquiry: Inquiry, *, way: int = 0, hint: str = "") -> tuple[Message, ...]:
        kind, count = inquiry.kind, self.count
        return elicitation.elicit(inquiry.messages, kind, self.prompt, way=way, count=count, hint=hint)

    def _fields(self, inquiry: Inquiry) -> dict[str, Any]:
        """How the model is asked: its turn is begun where it may be, and ends with the list where there is one."""
        begin = prefill(inquiry, elicitation.BEGIN[self.prompt])
        again = (f"\n{begin}",) if begin else ()
        stop = (f"G{self.count + 1}:", *again) if self.prompt == "top_k" else ()
        room = {"cot": _EXPLANATION + _LINE, "multi_step": _STEP * self.count + _LINE, "top_k": _GUESS * self.count}
        return {"prefill": begin, "stop": stop, "max_tokens": room.get(self.prompt, _LINE)}

    async def _read(self, inquiry: Inquiry, messages: Sequence[Message], reply: Reply) -> Trial:
        """What a reply says; where answer or confidence are missing it is taken up there, if the model lets us."""
        begin = prefill(inquiry, elicitation.BEGIN[self.prompt])
        text = begin + reply.text
        found = guesses(inquiry, self.prompt, text)
        for _ in range(2 if begin else 0):
            begun = unfinished(self.prompt, text, found)
            if begun is None:
                break
            text = begun + (await inquiry.ask(messages, prefill=begun, max_tokens=_LINE)).text
            found = guesses(inquiry, self.prompt, text)
        return found


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
