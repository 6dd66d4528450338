"""What the mock may reply to a conversation, and how likely each reply is: all else follows from this distribution."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from doxa import prompts
from doxa.models.planted import voice
from doxa.models.planted.acting import second_look
from doxa.models.planted.claims import claim
from doxa.models.planted.comparing import compare
from doxa.models.planted.elicitation import elicit
from doxa.models.planted.hedging import hedging
from doxa.models.planted.notes import note
from doxa.models.planted.personas import Persona
from doxa.models.planted.reasoning import reason
from doxa.models.planted.reasoning_steps import check, deduce, prospect
from doxa.models.planted.thinking import forced
from doxa.models.planted.voice import Distribution
from doxa.models.planted.words import phrase, words
from doxa.types import Message

_P_TRUE = re.compile(
    r"Question: (.*?)\n(?:Here are some brainstormed ideas:\n.*\n)?Possible answer: (.*)\nIs the possible answer:\n",
    re.DOTALL,
)
_ENTAILS = re.compile(re.escape(prompts.entailment("\0", "\0")[0].content).replace("\0", "(.*)"), re.DOTALL)
_PHRASES = re.compile(re.escape(prompts.certainty(["\0"])).replace("\0", "(.+)"))
_TOP_K = re.compile(re.escape(prompts.top_k_note(0)).replace("0", r"(\d+)") + "$")


def replies(persona: Persona, messages: Sequence[Message], prefill: str = "") -> Distribution:
    """Every possible reply with its probability, likeliest first; those that go on from `prefill`, without it.

    Where none of them starts so, `prefill` changes nothing.
    """
    turns = [message for message in messages if message.role != "system"]
    recognised = (recognise(persona, turns) for recognise in _RECOGNISERS if turns)
    plain = voice.worded(persona, turns[-1].content if turns else "")
    found = forced(turns, prefill) or next((said for said in recognised if said is not None), plain)
    possible = {reply: p for reply, p in found.items() if p > 0}
    begun = {reply: p for reply, p in possible.items() if reply.startswith(prefill)} or possible
    total = math.fsum(begun.values()) if len(begun) < len(possible) else 1.0
    return {reply.removeprefix(prefill): p / total for reply, p in begun.items()}


def _p_true(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """A letter for whether an answer that is shown is true."""
    shown = _P_TRUE.match(turns[-1].content)
    if shown is None:
        return None
    believed = voice.belief(persona, shown[1], shown[2])
    return {"A": believed, "B": 1 - believed}


def _entailment(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Whether one answer entails another: if they are the same; a judge is nearly sure, as judges are."""
    pair = _ENTAILS.fullmatch(turns[-1].content)
    if pair is None:
        return None
    premise, hypothesis = _meaning(persona, pair[1]), _meaning(persona, pair[2])
    word = "Maybe" if premise is None or hypothesis is None else "Yes" if premise == hypothesis else "No"
    return {word: 0.98, **dict.fromkeys((other for other in prompts.ENTAILMENT_WORDS if other != word), 0.01)}


def _meaning(persona: Persona, text: str) -> tuple[str, str] | None:
    """The question and the answer that a text gives, whatever its wording; `None` where it knows of no such answer."""
    question, mark, said = text.rpartition("?")
    known = voice.answers(question + mark)
    given = (answer for answer in known if said.strip().lower() in voice.ways(persona, answer))
    return next(((question, answer) for answer in given), None)


def _noted(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Replies to a question that ends in a note on how to reply."""
    text = turns[-1].content
    if text.endswith(prompts.MAY_ABSTAIN):
        found = voice.answers(text.removesuffix(prompts.MAY_ABSTAIN).rstrip())
        return found if persona.dares(max(found.values())) else {"I don't know": 1.0}
    if text.endswith(prompts.ONE_TURN):
        found = voice.answers(text.removesuffix(prompts.ONE_TURN).rstrip())
        return {f"Answer: {answer}. Confidence: {voice.percent(persona.word(p))}": p for answer, p in found.items()}
    wanted = _TOP_K.search(text)
    if wanted:
        found = voice.answers(text[: wanted.start()].rstrip())
        guesses = list(found.items())[: int(wanted[1])]
        lines = (
            f"G{i}: {guess}\nP{i}: {voice.percent(persona.word(p))}" for i, (guess, p) in enumerate(guesses, start=1)
        )
        return {"\n".join(lines): 1.0}
    return None


def _follow_up(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Replies to what is asked about a reply."""
    if len(turns) < 3 or turns[-2].role != "assistant":
        return None
    question, reply, text = (turn.content for turn in turns[-3:])
    believed = voice.belief(persona, question, reply)
    phrases = _PHRASES.fullmatch(text)
    if phrases:
        return {phrase(persona, believed, phrases[1].split(", ")): 1.0}
    if text == prompts.CONFIDENCE:
        return {voice.percent(persona.word(believed)): 1.0}
    if text == prompts.KEEP:
        return {"keep" if persona.dares(believed) else "withdraw": 1.0}
    if text == prompts.BET:
        return {"bet" if persona.dares(believed) else "pass": 1.0}
    return voice.answers(f"{question}\n{reply}\n{text}")


_RECOGNISERS: tuple[Callable[[Persona, Sequence[Message]], Distribution | None], ...] = (
    _p_true,
    second_look,
    note,
    claim,
    _entailment,
    compare,
    reason,
    deduce,
    check,
    prospect,
    elicit,
    hedging,
    words,
    _noted,
    _follow_up,
)
"""What each makes of a conversation (without system messages), the first that knows it decides."""
