"""Ways to put the same question: what changes with them is owed to the wording alone."""

from __future__ import annotations

from doxa.errors import UsageError

PREFIX = "paraphrase/"
TEMPLATES = (
    "{question}",
    "Please answer this question: {question}",
    "Question: {question}\nAnswer:",
    "Here is a question for you. {question}",
    "I would like to know the following. {question}",
    "{question} What is your answer?",
    "Answer the question below.\n\n{question}",
    "Can you tell me this? {question}",
    "Q: {question}",
    "A friend asks: {question} How do you reply?",
)
"""The first leaves the question as it is."""


def worded(template: str | None) -> str | None:
    """The template of a name such as `paraphrase/3`, counted from 1; any other template is itself.

    Raises `UsageError` for a number there is none of.
    """
    if template is None or not template.startswith(PREFIX):
        return template
    number = template.removeprefix(PREFIX)
    if not number.isdecimal() or not 1 <= int(number) <= len(TEMPLATES):
        raise UsageError(f"there is no {template}", hint=f"{PREFIX}1 to {PREFIX}{len(TEMPLATES)}")
    return TEMPLATES[int(number) - 1]
