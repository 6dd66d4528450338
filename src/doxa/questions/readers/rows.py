"""One row of any file becomes one question; what does not fit is refused by file, line and field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from doxa.errors import DataError
from doxa.shelf import shelved
from doxa.text import canonical, encodable
from doxa.types import KINDS, Kind, Message, Question

NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id",),
    "question": ("input", "question", "prompt", "text", "messages"),
    "answers": ("target", "answer", "answers", "ideal", "gold"),
    "choices": ("choices", "options"),
    "kind": ("kind",),
    "cluster": ("cluster",),
    "context": ("context",),
    "tags": ("tags",),
}
"""Each field of a question and the columns that may hold it. All other columns go to `meta`."""


class Row(NamedTuple):
    """The values of one row by column, and where they stand."""

    line: int
    values: Mapping[str, Any]
    file: str

    def error(self, field: str, problem: str, hint: str) -> DataError:
        """The error about one field of this row."""
        return DataError(f"{self.file}, line {self.line}, field {field!r}: {problem}", hint=hint)


def to_questions(rows: Iterable[Row], path: Path | str) -> Sequence[Question]:
    """All questions of a file. Raises `DataError` if there are none, or two of one id."""
    questions = shelved(_different(rows))
    if not questions:
        raise DataError(f"{path} has no questions", hint="give one question a row, below a header where there is one")
    return questions


def _different(rows: Iterable[Row]) -> Iterator[Question]:
    """The questions of some rows, each checked to have an id of its own."""
    seen: dict[str, int] = {}
    for row in rows:
        question = to_question(row._replace(values=_encodable(row.values)))
        if question.id in seen:
            raise DataError(
                f"{row.file}, line {row.line}, field 'id': {_show(question.id)} is already in line {seen[question.id]}",
                hint="ids are unique; without an id column, two equal questions have the same id: drop one",
            )
        seen[question.id] = row.line
        yield question


def _encodable(value: Any) -> Any:
    """A value of JSON with lone surrogates written out in all its texts: they are no characters and cannot be sent."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, Mapping):
        return {_encodable(name): _encodable(item) for name, item in value.items()}
    return value


def to_question(row: Row) -> Question:
    """One row as a question.

    The kind is that of the `kind` column; without one, a row with choices is "choice" and any other "open": kinds are
    never guessed from values. No answer, or an empty one, means that the gold answer is unknown; an empty list, that
    nothing is right. Raises `DataError`.
    """
    columns = {field: _column(row, field) for field in NAMES}
    text, messages = _asked(row, columns["question"])
    choices, labels = _choices(row, columns["choices"])
    kind = _kind(row, columns["kind"], bool(choices))
    answers = _answers(row, columns["answers"])
    if kind == "choice" and answers:
        answers = tuple(choices[_option(row, answer, choices, labels)] for answer in answers)
    for answer in answers or ():
        if kind in ("number", "date", "boolean") and canonical(str(answer), kind, ()) is None:
            raise row.error(str(columns["answers"]), f"{_show(answer)} is no {kind}", "correct it, or change the kind")
    known = {name for names in NAMES.values() for name in names}
    context = _text(row, columns["context"]) or None
    return Question(
        id=_text(row, columns["id"]) or _content_hash(text, messages, choices, context),
        text=text,
        answers=None if answers is None else tuple(str(answer) for answer in answers),
        kind=kind,
        choices=choices,
        messages=messages,
        context=context,
        cluster=_text(row, columns["cluster"]),
        tags=_tags(row, columns["tags"]),
        meta={name: value for name, value in row.values.items() if name not in known},
    )


def _column(row: Row, field: str) -> str | None:
    """The column that holds a field, or `None`; two of them with values are an error."""
    found = [name for name in NAMES[field] if row.values.get(name) is not None]
    if len(found) > 1:
        raise row.error(found[1], f"{found[0]!r} holds the {field} too", "rename or drop one of the two columns")
    return found[0] if found else None


def _asked(row: Row, column: str | None) -> tuple[str, tuple[Message, ...]]:
    """The question's text, or its messages if it is a conversation."""
    if column is None:
        names = ", ".join(NAMES["question"])
        raise row.error(
            "question", f"there is none in {', '.join(row.values) or 'an empty row'}", f"name it one of {names}"
        )
    value = row.values[column]
    if column == "messages" and isinstance(value, str):
        value = _json(row, column)
    if isinstance(value, list) and value:
        return "", tuple(_message(row, column, turn) for turn in value)
    if not isinstance(value, str) or not value.strip():
        raise row.error(column, f"{_show(value)} is not a question", "give a text, or a list of {role, content}")
    return value, ()


def _message(row: Row, column: str, turn: Any) -> Message:
    """One turn of a conversation."""
    if not isinstance(turn, dict) or not isinstance(turn.get("role"), str) or not isinstance(turn.get("content"), str):
        raise row.error(column, f"{_show(turn)} is not a message", 'each message is {"role": "user", "content": "…"}')
    return Message(turn["role"], turn["content"])


def _choices(row: Row, column: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The options' texts and their labels (none unless they are given as {text, label} or as {label: text})."""
    if column is None or row.values[column] in ("", []):
        return (), ()
    value = row.values[column]
    if isinstance(value, str):
        value = _json(row, column) if value.lstrip().startswith(("[", "{")) else value.split("|")
    labels: list[Any] = []
    if isinstance(value, dict):
        listed = isinstance(value.get("text"), list)
        labels, value = (list(value.get("label", [])), value["text"]) if listed else (list(value), list(value.values()))
    if not isinstance(value, list) or any(not isinstance(c, str | int | float) or not str(c).strip() for c in value):
        raise row.error(column, f"{_show(row.values[column])} are not options", "give a list of at least two texts")
    texts = tuple(str(choice).strip() for choice in value)
    if len(texts) < 2 or len(set(texts)) < len(texts):
        raise row.error(column, f"{_show(texts)} are not different options", "give at least two, each once")
    return texts, tuple(str(label) for label in labels)


def _kind(row: Row, column: str | None, has_choices: bool) -> Kind:
    """The question's kind."""
    if column is None or row.values[column] == "":
        return "choice" if has_choices else "open"
    kind = next((k for k in KINDS if k == row.values[column]), None)
    if kind is None:
        raise row.error(column, f"{_show(row.values[column])} is no kind", f"the kinds: {', '.join(KINDS)}")
    if (kind == "choice") != has_choices:
        problem = "a choice question without choices" if kind == "choice" else f"choices, but the kind is {kind}"
        raise row.error(column, problem, 'give kind "choice" to the questions with choices, and only to them')
    return kind


def _answers(row: Row, column: str | None) -> tuple[str | int | float, ...] | None:
    """The accepted answers as they are written."""
    if column is None or row.values[column] == "":
        return None
    value = row.values[column]
    listed = value if isinstance(value, list) else [value]
    for answer in listed:
        if not isinstance(answer, str | int | float) or not str(answer).strip():
            raise row.error(column, f"{_show(answer)} is not an answer", "give a text, a number, or a list of those")
    return tuple("yes" if a is True else "no" if a is False else a for a in listed)


def _option(row: Row, answer: str | int | float, choices: tuple[str, ...], labels: tuple[str, ...]) -> int:
    """The index of an accepted option, given as its text, its letter or label, or its number counted from 0."""
    written = str(answer).strip()
    readings = {i for i, choice in enumerate(choices) if choice == written} if isinstance(answer, str) else set()
    if written in labels:
        readings.add(labels.index(written))
    elif len(written) == 1 and "A" <= written.upper() <= "Z" and not labels:
        readings.add(ord(written.upper()) - ord("A"))
    elif written.isdecimal():
        readings.add(int(written))
    readings = {i for i in readings if i < len(choices)}
    if len(readings) == 1:
        return readings.pop()
    what = "could be several" if readings else "is none"
    column = _column(row, "answers") or "answers"
    raise row.error(
        column,
        f"{_show(answer)} {what} of the options {_show(choices)}",
        "give the text, the letter, or the index from 0",
    )


def _tags(row: Row, column: str | None) -> dict[str, str]:
    """The labels of a question."""
    if column is None or row.values[column] == "":
        return {}
    value = row.values[column]
    value = _json(row, column) if isinstance(value, str) else value
    if not isinstance(value, dict):
        raise row.error(column, f"{_show(value)} are not tags", 'give an object: {"topic": "history"}')
    return {str(name): str(label) for name, label in value.items() if label is not None}


def _text(row: Row, column: str | None) -> str:
    """A text or number as text; "" if there is none."""
    value = "" if column is None else row.values[column]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise row.error(str(column), f"{_show(value)} is not a text", "give a text or a number")
    return str(value).strip()


def _json(row: Row, column: str) -> Any:
    """A cell that holds JSON."""
    try:
        return _encodable(json.loads(row.values[column]))
    except ValueError as error:
        raise row.error(column, f"{_show(row.values[column])} is not JSON ({error})", "write valid JSON") from None


def _content_hash(text: str, messages: tuple[Message, ...], choices: tuple[str, ...], context: str | None) -> str:
    """An id made of all that is asked."""
    content = json.dumps([text, [[m.role, m.content] for m in messages], choices, context])
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _show(value: Any) -> str:
    """A value as it stands in an error: short, and safe to print."""
    shown = ascii(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
