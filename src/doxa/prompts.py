"""Every wording doxa puts to a model, versioned in one place.

A change of any text here changes answers, so it changes `VERSION`.
"""

from __future__ import annotations

from string import ascii_uppercase

from doxa.types import Kind, Message, Question

VERSION = "1"

SYSTEM = "Answer the question as briefly as you can. Give only the answer."

_INSTRUCTION: dict[Kind, str] = {
    "open": "",
    "choice": "Answer with the letter of the right option only.",
    "boolean": "Answer yes or no.",
    "number": "Answer with the number only.",
    "date": "Answer with the date only, as YYYY-MM-DD.",
}


def letters(count: int) -> tuple[str, ...]:
    """The letters that stand for `count` options."""
    return tuple(ascii_uppercase[:count])


def choices_block(choices: tuple[str, ...]) -> str:
    """The options of a choice question, one a line: `A. first`."""
    return "\n".join(f"{letter}. {choice}" for letter, choice in zip(letters(len(choices)), choices, strict=True))


def render(question: Question, *, system: str | None = None, template: str | None = None) -> tuple[Message, ...]:
    """The messages that put a question to a model.

    `system` replaces the default system message ("" leaves it out); `template` is a text with `{question}` in it that
    wraps the question's text.
    """
    if question.messages:
        return question.messages
    text = template.replace("{question}", question.text) if template else question.text
    parts = [question.context or "", text]
    if question.kind == "choice":
        parts.append(choices_block(question.choices))
    parts.append(_INSTRUCTION[question.kind])
    instruction = SYSTEM if system is None else system
    head = (Message("system", instruction),) if instruction else ()
    return (*head, Message("user", "\n".join(part for part in parts if part)))
