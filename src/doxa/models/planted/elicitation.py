"""How the mock answers when it is asked for a confidence along with its answer, with a hint or without one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from doxa.models.planted import voice
from doxa.models.planted.beliefs import uniform
from doxa.models.planted.personas import Persona
from doxa.models.planted.voice import Distribution, percent
from doxa.prompts import INSTRUCTION
from doxa.prompts import elicitation as asked
from doxa.types import Message

_TASK = "|".join(map(re.escape, asked.TASKS))
_KINDS = {said: kind for kind, said in asked.ANSWERS.items()}
_IS = "|".join(map(re.escape, _KINDS))
_NOTES = {
    prompt: re.compile(
        rf"\n(?P<task>{_TASK}) "
        rf"{re.escape(form).replace(re.escape('#'), '(?P<count>[0-9]+)').replace('@', f'(?P<answer>{_IS})')}\Z"
    )
    for prompt, form in asked.FORMS.items()
}
_HINTED = "|".join(re.escape(hint).replace(re.escape("#"), "(.+)") for _, hint in asked.HINTS[1:])
_HINT = re.compile(rf"\nHint: (?:{_HINTED})\n{re.escape(asked.HINT_NOTE)}\Z")
_PROBED = re.compile(rf"Question: (.*)\nProposed answer: (.*)\n{re.escape(asked.PROBE)}", re.DOTALL)


def elicit(persona: Persona, turns: Sequence[Message]) -> Distribution | None:
    """Each answer as likely as it is believed, with that belief as its word, in the form that is asked for."""
    text = turns[-1].content
    if shown := _PROBED.fullmatch(text):
        word = percent(persona.word(voice.belief(persona, shown[1], shown[2])))
        return {f"Reason: That is what I remember.\nConfidence: {word}": 1.0}
    for prompt, pattern in _NOTES.items():
        if note := pattern.search(text):
            count = int(note.groupdict().get("count") or 0)
            believed = _swayed(text[: note.start()], INSTRUCTION[_KINDS[note["answer"]]])
            given = believed if note["task"] == asked.TASKS[0] else _turned(text, believed)
            return {_written(persona, prompt, count, answer, believed): p for answer, p in given.items()}
    return None


def _turned(text: str, believed: Distribution) -> Distribution:
    """Any but the usual wording brings one answer to its mind, each as often as it is believed."""
    point = uniform("wording", text)
    pairs = zip(believed, accumulate(believed.values()), strict=True)
    return {next((answer for answer, upto in pairs if point < upto), min(believed, key=believed.__getitem__)): 1.0}


def _swayed(question: str, instruction: str) -> Distribution:
    """What it believes after a hint: as much of its belief as it has doubts goes over to the answer hinted at."""
    hint = _HINT.search(question)
    believed = voice.answers(f"{question[: hint.start()] if hint else question}\n{instruction}".rstrip())
    if hint is None:
        return believed
    pointed = next(group for group in hint.groups() if group)
    known = next((answer for answer in believed if answer.lower() == pointed.lower()), pointed)
    trust = max(believed.values())
    moved = {answer: p * trust for answer, p in believed.items()}
    moved[known] = moved.get(known, 0.0) + 1 - trust
    return dict(sorted(moved.items(), key=lambda pair: -pair[1]))


def _written(persona: Persona, prompt: str, count: int, answer: str, believed: Distribution) -> str:
    """A reply that gives `answer`; a list goes on with the others as they are believed."""
    word = persona.word(believed[answer])
    line = f"Answer: {answer}. Confidence: {percent(word)}"
    match prompt:
        case "cot":
            return f"Explanation: Counting along leads there.\n{line}"
        case "multi_step":
            each = percent(word ** (1 / count))
            return "\n".join([*(f"Step {i}: I count. Confidence: {each}" for i in range(1, count + 1)), line])
        case "top_k":
            others = [other for other in believed if other != answer]
            guesses = enumerate([answer, *others][:count], start=1)
            return "\n".join(f"G{i}: {each}. P{i}: {percent(persona.word(believed[each]))}" for i, each in guesses)
        case _:
            return line
