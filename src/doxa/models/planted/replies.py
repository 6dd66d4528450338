"""What the mock may reply to a conversation, and how likely each reply is: all else follows from this distribution."""

from __future__ import annotations

import re
from collections.abc import Sequence

from doxa import prompts
from doxa.models.planted.beliefs import beliefs, options
from doxa.models.planted.personas import Persona
from doxa.types import Message

Distribution = dict[str, float]

_P_TRUE = re.compile(
    r"Question: (.*?)\n(?:Here are some brainstormed ideas:\n.*\n)?Possible answer: (.*)\nIs the possible answer:\n",
    re.DOTALL,
)
_PHRASES = re.compile(re.escape(prompts.certainty(["\0"])).replace("\0", "(.+)"))
_TOP_K = re.compile(re.escape(prompts.top_k_note(0)).replace("0", r"(\d+)") + "$")


def replies(persona: Persona, messages: Sequence[Message], prefill: str = "") -> Distribution:
    """Every possible reply with its probability, likeliest first; what `prefill` already says is left out."""
    turns = [message for message in messages if message.role != "system"]
    text = turns[-1].content if turns else ""
    shown = _P_TRUE.match(text)
    if shown:
        belief = _belief(shown[1], shown[2])
        found: Distribution = {"A": belief, "B": 1 - belief}
    elif noted := _noted(persona, text):
        found = noted
    elif len(turns) > 2 and turns[-2].role == "assistant":
        found = _follow_up(persona, turns[-3].content, turns[-2].content, text)
    else:
        found = _answers(text)
    return {reply.removeprefix(prefill): p for reply, p in found.items() if p > 0}


def _answers(question: str) -> Distribution:
    """Answers as the mock writes them: letters where the question lists options."""
    believed, listed = beliefs(question), options(question)
    letters = dict(zip(listed, prompts.letters(len(listed)), strict=True))
    return {letters.get(answer, answer): p for answer, p in believed.items()}


def _belief(question: str, reply: str) -> float:
    """How much the mock believes a reply: as a text, or as an option's letter."""
    known = {**beliefs(question), **_answers(question)}
    return {answer.lower(): p for answer, p in known.items()}.get(reply.strip().lower(), 0.0)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _noted(persona: Persona, text: str) -> Distribution | None:
    """Replies to a question that ends in a note on how to reply; `None` where there is no such note."""
    if text.endswith(prompts.MAY_ABSTAIN):
        answers = _answers(text.removesuffix(prompts.MAY_ABSTAIN).rstrip())
        return answers if persona.dares(max(answers.values())) else {"I don't know": 1.0}
    if text.endswith(prompts.ONE_TURN):
        answers = _answers(text.removesuffix(prompts.ONE_TURN).rstrip())
        return {f"Answer: {answer}. Confidence: {_percent(persona.word(p))}": p for answer, p in answers.items()}
    wanted = _TOP_K.search(text)
    if wanted:
        answers = _answers(text[: wanted.start()].rstrip())
        guesses = list(answers.items())[: int(wanted[1])]
        lines = (f"G{i}: {guess}\nP{i}: {_percent(persona.word(p))}" for i, (guess, p) in enumerate(guesses, start=1))
        return {"\n".join(lines): 1.0}
    return None


def _follow_up(persona: Persona, question: str, reply: str, text: str) -> Distribution:
    """Replies to what is asked about a reply."""
    belief = _belief(question, reply)
    phrases = _PHRASES.fullmatch(text)
    if phrases:
        listed = phrases[1].split(", ")
        return {listed[min(int((1 - persona.word(belief)) * len(listed)), len(listed) - 1)]: 1.0}
    if text == prompts.CONFIDENCE:
        return {_percent(persona.word(belief)): 1.0}
    if text == prompts.KEEP:
        return {"keep" if persona.dares(belief) else "withdraw": 1.0}
    if text == prompts.BET:
        return {"bet" if persona.dares(belief) else "pass": 1.0}
    if text.startswith(prompts.RECONSIDER):
        return _second_thoughts(persona, question, reply, belief)
    return _answers(f"{question}\n{reply}\n{text}")


def _second_thoughts(persona: Persona, question: str, reply: str, belief: float) -> Distribution:
    """Keeps the reply as likely as it believes it, else gives the best other answer; a stubborn one always keeps it."""
    others = [answer for answer in _answers(question) if answer.lower() != reply.strip().lower()]
    if persona.acts == "stubborn" or not others:
        return {reply: 1.0}
    return {reply: belief, others[0]: 1 - belief}
