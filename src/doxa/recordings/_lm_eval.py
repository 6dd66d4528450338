"""Samples of lm-evaluation-harness: `samples_<task>_<date>.jsonl`, as `--log_samples` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doxa.errors import DataError
from doxa.recordings.reading import Cell, Recording, asked, json_lines, needed, number, softmax
from doxa.types import Question

BINARY = ("acc", "exact_match", "em", "acc_norm")
"""Their measures that say right or wrong; the first that is there is the column `correct`."""


def lm_eval(path: Path) -> list[Recording]:
    """One recording per document and filter.

    Options compared by likelihood: the reply is the likeliest option, `confidence` its share among the options
    (softmax of the summed log-likelihoods), and `confidence_norm` that of the option which wins per character, as in
    their acc_norm. Generated text: the reply is what the filter left, and further repeats are samples. Their measures
    are columns all. With several filters each line is a recording of its own, and `--where filter=NAME` chooses.
    """
    filters: set[str] = set()
    found = []
    for place, entry in json_lines(path):
        filters.add(str(entry.get("filter", "none")))
        found.append(_recording(place, entry))
    if not found:
        raise DataError(f"{path} holds no samples", hint="lm-eval writes them with --log_samples")
    return found


def _recording(place: str, entry: Mapping[str, Any]) -> Recording:
    requests, answers = needed(place, entry, "arguments", (list, dict)), needed(place, entry, "filtered_resps", list)
    calls = [_arguments(place, one) for one in (requests.values() if isinstance(requests, dict) else requests)]
    name = str(entry.get("filter", "none"))
    measures: dict[str, Cell] = {"filter": name, **_measures(entry)}
    id_ = f"{entry.get('doc_id')}" + ("" if name == "none" else f"/{name}")
    if calls and all(len(call) > 1 and isinstance(call[1], str) for call in calls):
        return _chosen(place, entry, id_, calls, answers, measures)
    prompt = calls[0][0] if calls else ""
    replies = [text for one in answers for text in (one if isinstance(one, list) else [one])]
    raw = [str(text) for one in entry.get("resps", []) for text in (one if isinstance(one, list) else [one])]
    target = entry.get("target")
    accepted = None if target is None else tuple(map(str, target)) if isinstance(target, list) else (str(target),)
    question = Question(id_, answers=accepted, messages=asked(prompt), cluster=str(entry.get("doc_id")))
    return Recording(question, str(replies[0]) if replies else None, samples=tuple(raw[1:]), measures=measures)


def _chosen(
    place: str,
    entry: Mapping[str, Any],
    id_: str,
    calls: list[list[str]],
    answers: list[Any],
    measures: dict[str, Cell],
) -> Recording:
    """The likeliest of several options."""
    options = [call[1].strip() for call in calls]
    logs = [_log(answer) for answer in answers]
    known = [log for log in logs if log is not None]
    if len(known) != len(options):
        raise DataError(f"{place}: {len(options)} options and {len(known)} likelihoods", hint="is the file whole?")
    shares, normed = softmax(known), softmax([log / max(1, len(o)) for log, o in zip(known, options, strict=True)])
    best, gold = known.index(max(known)), _gold(entry.get("target"), options)
    measures |= {"confidence": max(shares), "confidence_norm": max(normed)}
    distinct = len(set(options)) == len(options) > 1
    question = Question(
        id_,
        answers=gold,
        kind="choice" if distinct else "open",
        choices=tuple(options) if distinct else (),
        messages=asked(calls[0][0]),
        cluster=str(entry.get("doc_id")),
    )
    return Recording(question, options[best], measures=measures)


def _log(answer: Any) -> float | None:
    """The log-likelihood of a pair (log-likelihood, is it the greedy answer), which they write as texts."""
    first = answer[0] if isinstance(answer, list) and answer else None
    try:
        return number(float(first)) if isinstance(first, (str, int, float)) else None
    except ValueError:
        return None


def _gold(target: Any, options: list[str]) -> tuple[str, ...] | None:
    """The right option, by its number or its text, which they write alike; `None` where it could be either."""
    text = str(target).strip()
    by_number = options[int(text)] if text.isdecimal() and int(text) < len(options) else None
    by_text = text if text in options else None
    if by_number and by_text and by_number != by_text:
        return None
    gold = by_number or by_text
    return None if gold is None else (gold,)


def _arguments(place: str, call: Any) -> list[str]:
    """The texts of a request: a list, or in later versions an object `arg_0`, `arg_1`, …"""
    values = list(call.values()) if isinstance(call, dict) else call
    if not isinstance(values, list) or not values or not isinstance(values[0], str):
        raise DataError(f"{place}, field 'arguments': {call!r}"[:200], hint="only text requests are read")
    return values


def _measures(entry: Mapping[str, Any]) -> dict[str, Cell]:
    """Their measures; the first that says right or wrong is `correct` too."""
    told = entry.get("metrics")
    names = told if isinstance(told, list) else [name for name in BINARY if name in entry]
    found: dict[str, Cell] = {}
    for name in names:
        value = entry.get(name)
        found[str(name)] = value if isinstance(value, bool) else number(value)
    right = next((name for name in BINARY if found.get(name) in (0, 1)), None)
    return found if right is None else {**found, "correct": found[right] == 1}
