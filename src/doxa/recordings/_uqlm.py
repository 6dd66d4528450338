"""Results of uqlm: `json.dump(result.to_dict(), file)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from doxa.errors import DataError
from doxa.recordings.reading import Cell, Recording, asked, json_of, needed, number, tokens
from doxa.types import Question

HINT = "write it with json.dump(result.to_dict(), file)"
TEXTS = ("prompts", "responses", "sampled_responses", "raw_responses", "raw_sampled_responses", "logprobs")


def uqlm(path: Path) -> list[Recording]:
    """One recording per prompt; each of their scorers is a column (in [0, 1], higher is surer).

    They do not say which responses are right: add a column `correct` (0 or 1 a prompt) to `data`, or let `doxa run`
    grade. Sampled responses are samples at temperature 1.
    """
    content = json_of(path, HINT)
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, dict):
        raise DataError(f"{path} has no object 'data'", hint=HINT)
    replies = needed(str(path), data, "responses", list)
    prompts = needed(str(path), data, "prompts", list)
    if len(prompts) != len(replies):
        raise DataError(f"{path}: {len(prompts)} prompts and {len(replies)} responses", hint="is the file whole?")
    columns = {
        name: values
        for name, values in data.items()
        if name not in TEXTS and isinstance(values, list) and len(values) == len(replies)
    }
    return [_recording(data, columns, i) for i in range(len(replies))]


def _recording(data: Mapping[str, Any], columns: Mapping[str, Sequence[Any]], i: int) -> Recording:
    sampled, logs = data.get("sampled_responses") or [], data.get("logprobs") or []
    measures: dict[str, Cell] = {}
    for name, values in columns.items():
        value = values[i]
        if isinstance(value, (bool, int, float, str)) or value is None:
            measures[name] = value if isinstance(value, (bool, str)) else number(value)
    return Recording(
        Question(str(i), messages=asked(_prompt(data["prompts"][i]))),
        None if data["responses"][i] is None else str(data["responses"][i]),
        tokens(logs[i]) if i < len(logs) else None,
        tuple(map(str, sampled[i])) if i < len(sampled) else (),
        measures=measures,
    )


def _prompt(prompt: Any) -> str:
    """A prompt; of a list of messages the last one's text."""
    if isinstance(prompt, list) and prompt and isinstance(prompt[-1], dict):
        return str(prompt[-1].get("content", ""))
    return str(prompt)
