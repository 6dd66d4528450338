"""Results of LM-Polygraph's `UEManager`, written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doxa.errors import DataError
from doxa.recordings.reading import Cell, Recording, asked, json_of, needed, number
from doxa.types import Question

HINT = "their own files are pickles, which doxa does not open: docs/recordings.md has the lines that write JSON"
LEVEL = "sequence/"


def lm_polygraph(path: Path) -> list[Recording]:
    """One recording per input text.

    Columns: each estimator's uncertainty of the whole answer with its sign turned, so that higher is surer (any number:
    use `--scale real`), and each generation metric. `correct` is there where one of those is 0 or 1 for every text.
    """
    content = json_of(path, HINT)
    if not isinstance(content, dict):
        raise DataError(f"{path} is no object", hint=HINT)
    estimations = needed(str(path), content, "estimations", dict)
    metrics, stats = needed(str(path), content, "gen_metrics", dict), needed(str(path), content, "stats", dict)
    replies = needed(str(path), stats, "greedy_texts", list)
    columns = {
        name.removeprefix(LEVEL): [None if number(v) is None else -float(v) for v in values]
        for name, values in estimations.items()
        if name.startswith(LEVEL)
    }
    graded = {name.removeprefix(LEVEL): [number(v) for v in values] for name, values in metrics.items()}
    right = next((values for values in graded.values() if set(values) <= {0.0, 1.0}), None)
    every: dict[str, list[Any]] = {
        **columns,
        **graded,
        **({} if right is None else {"correct": [v == 1 for v in right]}),
    }
    for name, values in every.items():
        if len(values) != len(replies):
            raise DataError(f"{path}: {name} has {len(values)} values for {len(replies)} texts", hint="is it whole?")
    return [_recording(stats, every, i) for i in range(len(replies))]


def _recording(stats: Mapping[str, Any], columns: Mapping[str, list[Any]], i: int) -> Recording:
    measures: dict[str, Cell] = {name: values[i] for name, values in columns.items()}
    prompts, targets = stats.get("input_texts") or [], stats.get("target_texts") or []
    target = targets[i] if i < len(targets) else None
    accepted = None if target is None else tuple(map(str, target)) if isinstance(target, list) else (str(target),)
    prompt, reply = str(prompts[i]) if i < len(prompts) else "", stats["greedy_texts"][i]
    question = Question(str(i), answers=accepted, messages=asked(prompt))
    return Recording(question, None if reply is None else str(reply), measures=measures)
