"""Do the words of the model's own answers show how consistently it gives them? The section `faithfulness` of a run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

SOUNDS = ("decisiveness", "linguistic_confidence")
"""Estimators that tell how sure an answer sounds; the second speaks where the first was not asked in the same words."""
IS = "assertion_consistency"
"""The one that tells how consistently it is given."""
_KNOB = r"\b{}=['\"]?(\w+)"
_DEFAULTS = {"prompt": "plus", "variant": "0"}


def faithfulness(items: pl.DataFrame, *, seed: int = 0) -> list[dict[str, Any]]:
    """One row for each pair of an estimator of `SOUNDS` and one of `IS` that were asked in the same words."""
    labels = items["estimator"].unique(maintain_order=True).to_list()
    pairs = [(one, other) for other in labels if _name(other) == IS for one in _sounding(labels, _words(other))]
    of = {label: items.filter(items["estimator"] == label) for pair in pairs for label in pair}
    return [_row((one, other), of[one], of[other], seed) for one, other in pairs]


def _sounding(labels: Iterable[str], words: dict[str, str]) -> list[str]:
    alike = [label for label in labels if _words(label) == words]
    by_name = ([label for label in alike if _name(label) == name] for name in SOUNDS)
    return next(filter(None, by_name), [])


def _name(label: str) -> str:
    return label.partition("(")[0]


def _words(label: str) -> dict[str, str]:
    """The prompt and the variant that an estimator's label names, or their defaults."""
    found = {knob: re.search(_KNOB.format(knob), label) for knob in _DEFAULTS}
    return {knob: match[1] if match else _DEFAULTS[knob] for knob, match in found.items()}


def _row(labels: tuple[str, str], sounds: pl.DataFrame, is_: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Both means over the questions where neither number is missing: a refusal asserts nothing."""
    from doxa.metrics.maths.faithfulness import measure_faithfulness

    joined = sounds.join(is_, on="question", suffix="_is", maintain_order="left")
    failed = (joined["error"] != "") | (joined["error_is"] != "")
    both = joined.filter(~failed & joined["confidence"].is_not_null() & joined["confidence_is"].is_not_null())
    errors = int(failed.sum())
    found = measure_faithfulness(
        both["confidence"].to_list(),
        both["confidence_is"].to_list(),
        cluster=both["cluster"].to_list(),
        missing=joined.height - errors - both.height,
        errors=errors,
        seed=seed,
    )
    return {
        "sounds": labels[0],
        "is": labels[1],
        "n": both.height,
        "mfg": asdict(found.mfg),
        "cmfg": asdict(found.cmfg),
    }
