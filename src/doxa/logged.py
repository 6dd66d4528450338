"""From confidences and outcomes alone to everything that the page of a log says.

Four questions in their order: is it calibrated, does it rank, what happens below a threshold, and which threshold keeps
a promise. Whatever is fitted (calibrators, thresholds) is measured on folds disjoint by cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from doxa import registry
from doxa.calibrators.maths.folds import content, cross_fit, fold_of
from doxa.errors import DataError
from doxa.metrics import measure
from doxa.metrics.maths.checks import Bools, Floats
from doxa.metrics.maths.reliability import reliability_bins
from doxa.metrics.maths.risk_coverage import risk_curve
from doxa.policies.selective_risk import SelectiveRisk
from doxa.types import Case, Scale

SCHEMA = "doxa.log/1"
RANKING = ("auroc", "auprc", "aurc", "excess_aurc", "prr")
PROBABILITY = (
    "mean_confidence", "overconfidence", "brier_loss", "log_loss", "ece", "adaptive_ece", "mce",
)  # fmt: skip
COMPARED = ("brier_loss", "log_loss", "ece", "auroc")
THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Scores that are no probabilities have no round thresholds: those that answer these shares are shown."""
RISKS = (0.01, 0.02, 0.05, 0.1, 0.2)
DELTA = 0.05
FOLDS = 5
_FITTABLE_FROM = 20


@dataclass(frozen=True, slots=True)
class Graded:
    """Rows of a log with both values; `missing` had no confidence or no outcome, `errors` were failed calls."""

    confidence: Floats
    correct: Bools
    cluster: Sequence[Any] | None
    scale: Scale
    missing: int = 0
    errors: int = 0

    def units(self) -> Sequence[Any]:
        """What rows are dealt to folds by."""
        return content(self.confidence, self.correct).tolist() if self.cluster is None else self.cluster


def study(rows: Graded, *, by: dict[str, str] | None = None, seed: int = 0) -> dict[str, Any]:
    """Everything about one group of rows. Raises `DataError` where no row has both values."""
    if not len(rows.confidence):
        where = "".join(f" of {name} = {value}" for name, value in (by or {}).items())
        raise DataError(f"no row{where} has a confidence and an outcome", hint="are the right columns named?")
    unit = rows.scale is Scale.UNIT
    names = ("accuracy", *PROBABILITY, *RANKING) if unit else ("accuracy", *RANKING)
    fittable = len(rows.correct) >= _FITTABLE_FROM and 0 < rows.correct.sum() < len(rows.correct)
    return {
        "by": by or {},
        "scale": rows.scale.value,
        "n": len(rows.confidence),
        "counts": {"missing": rows.missing, "errors": rows.errors},
        "measurements": _measured(rows, rows.confidence, names, seed),
        "bins": _bins(rows) if unit else None,
        "calibrated": [*_calibrated(rows, seed)] if fittable else [],
        "curve": _curve(rows),
        "thresholds": [_threshold(rows, value) for value in _thresholds(rows)],
        "promises": [_promise(rows, risk, seed) for risk in RISKS],
    }


def _measured(rows: Graded, confidence: Floats, names: Sequence[str], seed: int) -> dict[str, Any]:
    found = measure(
        confidence=confidence,
        correct=rows.correct,
        cluster=rows.cluster,
        metrics=names,
        scale=Scale.UNIT if confidence is not rows.confidence else rows.scale,
        missing=rows.missing,
        errors=rows.errors,
        seed=seed,
    )
    return {one.name: asdict(one) for one in found}


def _calibrated(rows: Graded, seed: int) -> Any:
    """Each calibrator that takes one confidence of this scale: its measurements on rows it was not fitted on."""
    for name in registry.names("calibrators"):
        calibrator = registry.build("calibrators", name)
        other = rows.scale is Scale.REAL and calibrator.scale is Scale.UNIT
        if other or getattr(calibrator, "several", False) or getattr(calibrator, "grouped", False):
            continue
        probability = cross_fit(
            calibrator, confidence=rows.confidence, correct=rows.correct, cluster=rows.cluster, folds=FOLDS, seed=seed
        )
        bins = reliability_bins(confidence=probability, correct=rows.correct)
        yield {
            "name": name,
            "measurements": _measured(rows, probability, COMPARED, seed),
            "bins": [_bin(b) for b in bins],
        }


def _bins(rows: Graded) -> list[dict[str, Any]]:
    return [_bin(b) for b in reliability_bins(confidence=rows.confidence, correct=rows.correct)]


def _bin(b: Any) -> dict[str, Any]:
    sides = {"accuracy_low": b.low, "accuracy_high": b.high}
    return {"low": b.left, "high": b.right, "n": b.n, "confidence": b.confidence, "accuracy": b.accuracy, **sides}


def _curve(rows: Graded) -> dict[str, list[float]]:
    points = risk_curve(confidence=rows.confidence, correct=rows.correct)
    return {key: [getattr(point, key) for point in points] for key in ("coverage", "risk", "low", "high", "threshold")}


def _thresholds(rows: Graded) -> list[float]:
    """Round numbers where confidences are probabilities, else what answers round shares; ascending, each once."""
    if rows.scale is Scale.UNIT:
        return list(THRESHOLDS)
    descending = np.sort(rows.confidence)[::-1]
    return sorted({float(descending[max(0, round(share * len(descending)) - 1)]) for share in SHARES})


def _threshold(rows: Graded, threshold: float) -> dict[str, Any]:
    """What answering from a threshold on does: share answered, errors among the answered, share of errors avoided."""
    answered = rows.confidence >= threshold
    wrong, every = int((answered & ~rows.correct).sum()), int((~rows.correct).sum())
    return {"threshold": threshold, **_errors(rows, answered), "avoided": 1 - wrong / every if every else None}


def _errors(rows: Graded, answered: Bools) -> dict[str, Any]:
    """How many are answered, and the share of errors among them with its interval."""
    found = measure(
        confidence=rows.confidence[answered],
        correct=rows.correct[answered],
        cluster=None if rows.cluster is None else np.asarray(rows.cluster)[answered],
        metrics=["accuracy"],
        scale=Scale.REAL,
    )[0]
    share, low, high = (None if end is None else 1 - end for end in (found.value, found.high, found.low))
    return {"answered": found.n, "coverage": found.n / len(answered), "risk": share, "low": low, "high": high}


def _promise(rows: Graded, risk: float, seed: int) -> dict[str, Any]:
    """The threshold that keeps errors among the answered under `risk`, and what it did on rows it was not chosen on."""
    policy = SelectiveRisk(risk=risk, delta=DELTA)
    chosen = policy.fit(confidence=rows.confidence, correct=rows.correct, cluster=rows.cluster)
    answered = np.zeros(len(rows.correct), dtype=bool)
    units = np.asarray(rows.units())
    if len(np.unique(units)) >= 2:
        fold = fold_of(units, folds=FOLDS, seed=seed)
        for i in range(int(fold.max()) + 1):
            here = fold == i
            cluster = None if rows.cluster is None else np.asarray(rows.cluster)[~here]
            fitted = policy.fit(confidence=rows.confidence[~here], correct=rows.correct[~here], cluster=cluster)
            answered[here] = _given(fitted, rows.confidence[here])
    given = _given(chosen, rows.confidence)
    return {
        "risk": risk,
        "delta": DELTA,
        "threshold": chosen.threshold,
        "coverage": float(given.mean()),
        "seen": float((~rows.correct)[given].mean()) if given.any() else None,
        "held_out": _errors(rows, answered),
        "reason": chosen.decide(Case(None)).reason,
    }


def _given(policy: SelectiveRisk, confidence: Floats) -> Bools:
    """Which confidences the policy answers."""
    threshold = np.inf if policy.threshold is None else policy.threshold
    return np.asarray(confidence >= threshold)


def helpful(part: dict[str, Any]) -> str | None:
    """The calibrator of the least Brier score on held-out folds, where that is less than without one."""
    scores = {one["name"]: one["measurements"]["brier_loss"]["value"] for one in part["calibrated"]}
    known = {name: score for name, score in scores.items() if score is not None}
    raw = part["measurements"].get("brier_loss", {}).get("value")
    best = min(known, key=known.__getitem__, default=None)
    return None if best is None or (raw is not None and known[best] >= raw) else best
