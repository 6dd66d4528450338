"""What readers of other tools' logs share: the form they give, and checked access to what they read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doxa.errors import DataError
from doxa.types import Message, Question, Token

Cell = float | bool | str | None


@dataclass(frozen=True, slots=True)
class Recording:
    """One question of another tool's log: what was asked, what was said, and what that tool measured."""

    question: Question
    reply: str | None
    tokens: tuple[Token, ...] | None = None
    samples: tuple[str, ...] = ()
    temperature: float = 0.0
    measures: Mapping[str, Cell] = field(default_factory=dict)
    """Columns of the table that `doxa score` reads."""

    def row(self) -> dict[str, Cell]:
        """The recording as a row of a table."""
        return {"id": self.question.id, "cluster": self.question.cluster, "reply": self.reply, **self.measures}


def existing_file(path: str) -> Path:
    """The path, if there is such a file. Raises `DataError`."""
    found = Path(path).expanduser()
    if not found.is_file():
        raise DataError(f"there is no file {path!r}", hint=f"looked in {found.absolute().parent}")
    return found


def json_of(path: Path, hint: str) -> Any:
    """The content of a JSON file. Raises `DataError` with the hint."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} is not readable as JSON: {reason}", hint=hint) from None


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and object of each line. Raises `DataError` for a line that is no object."""
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise DataError(f"{place}: {error}", hint="is the file whole?") from None
        if not isinstance(entry, dict):
            raise DataError(f"{place} is no object", hint="one JSON object per line")
        yield place, entry


def needed(place: str, entry: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    """A field of a kind. Raises `DataError` naming place and field."""
    if not isinstance(entry.get(name), kind):
        told = "missing" if name not in entry else f"{entry[name]!r}"[:80]
        raise DataError(
            f"{place}, field {name!r}: {told}", hint="is it a log of this tool, of a version of 2024 or later?"
        )
    return entry[name]


def number(value: Any) -> float | None:
    """A finite number, or `None`: other tools write NaN for what is missing."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def softmax(logs: Sequence[float]) -> list[float]:
    """Shares in proportion to exp(log)."""
    top = max(logs)
    weights = [math.exp(value - top) for value in logs]
    return [weight / math.fsum(weights) for weight in weights]


def sequence_probability(tokens: Sequence[Token] | None) -> float | None:
    """exp of the summed log-probabilities; `None` where one is missing."""
    logs = [token.logprob for token in tokens or ()]
    known = [log for log in logs if log is not None]
    return math.exp(math.fsum(known)) if logs and len(known) == len(logs) else None


def asked(prompt: str) -> tuple[Message, ...]:
    """A prompt as the only message: a recorded question is put again word for word."""
    return (Message("user", prompt),)


def tokens(listed: Any) -> tuple[Token, ...] | None:
    """Tokens as OpenAI's interface gives them: objects with `token`, `logprob` and `top_logprobs`."""
    if not isinstance(listed, list) or not listed:
        return None
    return tuple(
        Token(
            str(one.get("token", "")),
            number(one.get("logprob")),
            tuple((str(top["token"]), float(top["logprob"])) for top in one.get("top_logprobs") or ()),
        )
        for one in listed
    )
