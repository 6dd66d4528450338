"""Logs of Inspect: `.eval` and `.json` files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
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

    Each scorer is a column of its name, `correct` is the first one that says only right or wrong of all samples;
    numbers among the metadata of scores and samples are columns too (`SCORER.KEY`, `metadata.KEY`). Where
    log-probabilities were kept, `sequence_probability` is a confidence. Samples that failed have no reply.
    """
    samples = list(_samples(path))
    verdicts: dict[str, list[Cell]] = {}
    for _, sample in samples:
        for name, value in _values(sample).items():
            verdicts.setdefault(name, []).append(value)
    right = next((name for name, values in verdicts.items() if _says(values)), None)
    found = [_recording(place, sample, right) for place, sample in samples]
    if not found:
        raise DataError(f"{path} holds no samples", hint="was the evaluation run to its end?")
    return found


def _samples(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not zipfile.is_zipfile(path):
        content = json_of(path, "give an .eval or .json log of Inspect")
        samples = content.get("samples") if isinstance(content, dict) else None
        for i, sample in enumerate(samples or []):
            yield _object(f"{path}, sample {i + 1}", sample)
        return
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.startswith("samples/") and info.filename.endswith(".json"):
                place = f"{path}, {info.filename}"
                try:
                    yield _object(place, json.loads(_content(archive, info, path)))
                except ValueError as error:
                    raise DataError(f"{place} is not JSON: {error}", hint="is the file whole?") from None


def _object(place: str, sample: Any) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(sample, dict):
        raise DataError(f"{place} is no object", hint="is it a log of Inspect?")
    return place, sample


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


def _recording(place: str, sample: Mapping[str, Any], right: str | None) -> Recording:
    """A sample; `right` is the scorer that is the column `correct`."""
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
    values = _values(sample)
    measures: dict[str, Cell] = {"epoch": epoch, **values, **_noted(sample)}
    if right in values:
        verdict = values[right]
        measures["correct"] = None if verdict is None else bool(verdict)
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


def _values(sample: Mapping[str, Any]) -> dict[str, Cell]:
    """Every scorer's value; one of several parts is a column for each."""
    found: dict[str, Cell] = {}
    for name, score in (sample.get("scores") or {}).items():
        value = score.get("value") if isinstance(score, dict) else score
        parts = value if isinstance(value, dict) else {"": value}
        found |= {f"{name}.{key}" if key else name: _cell(part) for key, part in parts.items()}
    return found


def _noted(sample: Mapping[str, Any]) -> dict[str, Cell]:
    """What scorers noted beside their values."""
    scores = {name: score for name, score in (sample.get("scores") or {}).items() if isinstance(score, dict)}
    return {
        f"{name}.{key}": _cell(part)
        for name, score in scores.items()
        for key, part in (score.get("metadata") or {}).items()
        if _flat(part)
    }


def _says(values: Sequence[Cell]) -> bool:
    """Whether values are verdicts: right and wrong alone, besides those that are missing."""
    known = [value for value in values if value is not None]
    return bool(known) and all(value in (0.0, 1.0) for value in known)


def _flat(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str))


def _cell(value: Any) -> Cell:
    """A letter of theirs as truth value, numbers as they are, other texts as they are."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return GRADES.get(value, value) if value not in ("P", "N") else None
    return number(value)
