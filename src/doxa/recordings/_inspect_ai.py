"""Logs of Inspect: `.eval` and `.json` files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doxa.errors import DataError, UsageError
from doxa.recordings.reading import Cell, Recording, json_of, needed, number, sequence_probability, tokens
from doxa.types import Message, Question

GRADES = {"C": True, "I": False}
"""Their letters for right and wrong; partial credit (P) and no answer (N) are neither."""
ZSTANDARD = 93
"""The number of that way to compress in zip files, which Python 3.11 cannot read."""


def inspect_ai(path: Path) -> list[Recording]:
    """One recording per sample and epoch; the epochs of a sample share its cluster.

    Each scorer is a column of its name, `correct` is the first one that says right or wrong; numbers among the metadata
    of scores and samples are columns too (`SCORER.KEY`, `metadata.KEY`). Where log-probabilities were kept,
    `sequence_probability` is a confidence. Samples that failed have no reply.
    """
    found = [_recording(place, sample) for place, sample in _samples(path)]
    if not found:
        raise DataError(f"{path} holds no samples", hint="was the evaluation run to its end?")
    return found


def _samples(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not zipfile.is_zipfile(path):
        content = json_of(path, "give an .eval or .json log of Inspect")
        samples = content.get("samples") if isinstance(content, dict) else None
        for i, sample in enumerate(samples or []):
            yield f"{path}, sample {i + 1}", sample
        return
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.startswith("samples/") and info.filename.endswith(".json"):
                yield f"{path}, {info.filename}", json.loads(_content(archive, info, path))


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    """One file of the archive."""
    if info.compress_type != ZSTANDARD:
        return archive.read(info)
    try:
        import zstandard
    except ImportError:
        hint = "pip install 'doxa[logs]', or: inspect log convert LOG --to json --output-dir DIR"
        raise UsageError(f"{path} is compressed by Zstandard", hint=hint) from None
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        name, extra = (int.from_bytes(file.read(2), "little") for _ in range(2))
        file.seek(info.header_offset + 30 + name + extra)
        content = file.read(info.compress_size)
    return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(content))


def _recording(place: str, sample: Mapping[str, Any]) -> Recording:
    id_, epoch = str(needed(place, sample, "id", (str, int))), int(sample.get("epoch") or 1)
    messages = _asked(place, sample)
    choices = tuple(map(str, sample.get("choices") or ()))
    distinct = len(set(choices)) == len(choices) > 1
    question = Question(
        f"{id_}/{epoch}",
        answers=_accepted(sample.get("target"), choices),
        kind="choice" if distinct else "open",
        choices=choices if distinct else (),
        messages=messages,
        cluster=id_,
    )
    output = (sample.get("output") or {}).get("choices") or []
    said = tokens((output[0].get("logprobs") or {}).get("content")) if output else None
    reply = _text(output[0]["message"].get("content")) if output else None
    measures: dict[str, Cell] = {"epoch": epoch, **_scores(sample.get("scores") or {})}
    measures |= {
        f"metadata.{key}": _cell(value) for key, value in (sample.get("metadata") or {}).items() if _flat(value)
    }
    if said:
        measures["sequence_probability"] = sequence_probability(said)
    return Recording(question, reply, said, measures=measures)


def _asked(place: str, sample: Mapping[str, Any]) -> tuple[Message, ...]:
    """The messages up to the model's last answer, as it saw them."""
    turns = sample.get("messages") or []
    while turns and turns[-1].get("role") == "assistant":
        turns = turns[:-1]
    if not turns:
        asked = needed(place, sample, "input", (str, list))
        turns = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    return tuple(Message(str(turn.get("role")), _text(turn.get("content"))) for turn in turns)


def _text(content: Any) -> str:
    """The text of a message, which may be given in parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def _accepted(target: Any, choices: tuple[str, ...]) -> tuple[str, ...] | None:
    """Accepted answers; letters stand for options where there are any."""
    listed = [str(one) for one in (target if isinstance(target, list) else [target]) if one not in (None, "")]
    if not listed:
        return None
    letters = {chr(65 + i): choice for i, choice in enumerate(choices)}
    return tuple(letters.get(one, one) for one in listed)


def _scores(scores: Mapping[str, Any]) -> dict[str, Cell]:
    """Every scorer's value, what it noted in numbers, and the first verdict as `correct`."""
    found: dict[str, Cell] = {}
    for name, score in scores.items():
        value = score.get("value") if isinstance(score, dict) else score
        parts = value if isinstance(value, dict) else {"": value}
        for key, part in parts.items():
            found[f"{name}.{key}" if key else name] = _cell(part)
        noted = score.get("metadata") or {} if isinstance(score, dict) else {}
        found |= {f"{name}.{key}": _cell(part) for key, part in noted.items() if _flat(part)}
    right = next((value for value in found.values() if isinstance(value, bool) or value in (0.0, 1.0)), None)
    return found if right is None else {**found, "correct": bool(right)}


def _flat(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str))


def _cell(value: Any) -> Cell:
    """A letter of theirs as truth value, numbers as they are, other texts as they are."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return GRADES.get(value, value) if value not in ("P", "N") else None
    return number(value)
