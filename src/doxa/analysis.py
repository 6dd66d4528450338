"""From the items of a run to everything its report says: `metrics.json`.

All numbers leave through `metrics.measure`, with interval, n, missing and errors. Nothing is measured on what it was
fitted on: calibrated numbers come from folds disjoint by cluster.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from doxa.budgets import thinking
from doxa.changes import changes
from doxa.faithful import faithfulness
from doxa.metrics import measure
from doxa.types import Measurement, Scale

if TYPE_CHECKING:
    import polars as pl

SCHEMA = "doxa.metrics/1"
RANKING = (
    "auroc", "auprc", "auprc_error", "aurc", "excess_aurc", "selective_auc", "prr", "accuracy_at_coverage",
    "coverage_at_risk", "accuracy",
)  # fmt: skip
# Without smooth_ece, whose bootstrap alone takes longer than all the others': `doxa score --metrics smooth_ece RUN`.
PROBABILITY = ("mean_confidence", "overconfidence", "brier_loss", "log_loss", "ece", "adaptive_ece", "mce")
FOLDS = 5
COVERAGE = 0.6
"""Share of questions still answered in the sentence about refusing: chosen beforehand, so that its bound holds."""
_ISOTONIC_FROM = 1000
"""Answers from which isotonic regression is used to calibrate; below, Platt's two parameters are safer."""
_FITTABLE_FROM = 20
_GROUP_FROM = 5
"""Questions from which a group is shown: of fewer, the interval covers nearly everything."""
EXAMPLES = 4
BELIEF, WORD, DEED = "self_consistency", "stated_two_turn", "deed"


# -- calibration -------------------------------------------------------------------------------------------------------


def cross_fitted(items: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """Add `probability`: each answer's calibrated confidence, fitted on other clusters; null where it cannot be."""
    import polars as pl

    needed = items.select(pl.int_range(pl.len()).alias("_row"), "estimator", "confidence", "correct", "cluster")
    parts = needed.partition_by("estimator", maintain_order=True, include_key=False)
    found = [_with_probability(part, seed).select("_row", "probability") for part in parts]
    if not found:
        return items.with_columns(probability=pl.lit(None, pl.Float64))
    return items.with_columns(pl.concat(found).sort("_row")["probability"])


def calibrator_for(n: int) -> str:
    """The calibrator that a run of `n` graded answers uses."""
    return "isotonic" if n >= _ISOTONIC_FROM else "platt"


def _with_probability(part: pl.DataFrame, seed: int) -> pl.DataFrame:
    import polars as pl

    from doxa import registry
    from doxa.calibrators.maths.folds import cross_fit

    known = part["confidence"].is_not_null() & part["correct"].is_not_null()
    usable = part.filter(known)
    empty = pl.Series("probability", [None] * part.height, pl.Float64)
    rights = int(usable["correct"].sum())
    if usable.height < _FITTABLE_FROM or rights in (0, usable.height) or usable["cluster"].n_unique() < FOLDS:
        return part.with_columns(empty)
    fitted = cross_fit(
        registry.build("calibrators", calibrator_for(usable.height)),
        confidence=usable["confidence"].to_numpy(),
        correct=usable["correct"].to_numpy(),
        cluster=usable["cluster"].to_list(),
        folds=FOLDS,
        seed=seed,
    )
    values = iter(fitted.tolist())
    return part.with_columns(pl.Series("probability", [next(values) if k else None for k in known], pl.Float64))


# -- the whole ---------------------------------------------------------------------------------------------------------


def analyse(
    items: pl.DataFrame, *, seed: int = 0, texts: Callable[[Sequence[str]], pl.DataFrame] | None = None
) -> dict[str, Any]:
    """Every measurement of a run, as the JSON that reports draw.

    `texts` finds the texts of some questions (`text`, `reply`, `accepted`) where they are not columns of `items`.
    """
    questions = items.filter(items["question"].is_first_distinct())
    estimators = [_estimator(part, seed) for part in items.partition_by("estimator", maintain_order=True)]
    best = _best(estimators)
    accuracy = _accuracy(questions, seed)
    table = _agreement(items, seed)
    return {
        "schema": SCHEMA,
        "n": questions.height,
        "verdicts": _verdicts(questions),
        "accuracy": accuracy,
        "agreement": table,
        "estimators": sorted(estimators, key=_rank),
        "changes": changes(items, seed=seed),
        "thinking": thinking(items, seed=seed),
        "faithfulness": faithfulness(items, seed=seed),
        "groups": _groups(items, questions, _speaker(estimators), seed),
        "examples": _examples(items, best, texts),
        "sentences": table["sentences"] if table else _plain_sentences(accuracy, _speaker(estimators)),
    }


def _plain_sentences(accuracy: dict[str, Any], speaker: dict[str, Any] | None) -> list[str]:
    """What can be said of a run without belief, word and deed: how often it is right, and how much surer it is."""
    from doxa.metrics.maths.wording import percent

    if accuracy["value"] is None:
        return ["No reply could be graded."]
    low, high = percent(accuracy["low"]), percent(accuracy["high"])
    right = f"It is right {percent(accuracy['value'])} of the time (95 %: {low} to {high}, n = {accuracy['n']})."
    if speaker is None or speaker["raw"].get("overconfidence", {}).get("value") is None:
        return [right]
    sure, off = speaker["raw"]["mean_confidence"]["value"], speaker["raw"]["overconfidence"]
    apart = f"{abs(100 * off['value']):.0f} points {'more' if off['value'] > 0 else 'less'} than it is right"
    if off["low"] is not None:
        ends = f" (95 %: {100 * off['low']:+.0f} to {100 * off['high']:+.0f}, n = {off['n']})".replace("-", "−")
        apart += ends + (", so no difference is shown" if off["low"] <= 0 <= off["high"] else "")
    whose = " (about its own answers)" if speaker["about"] == "own" else ""
    return [right, f"By {speaker['name']}{whose} it is {percent(sure)} sure on average, {apart}."]


def as_json(measurement: Measurement) -> dict[str, Any]:
    """A measurement as the report reads it."""
    return asdict(measurement)


def _verdicts(questions: pl.DataFrame) -> dict[str, int]:
    failed = questions["finish"].str.starts_with("failed").sum()
    return {
        "right": int(questions["reply_correct"].sum()),
        "wrong": int((~questions["reply_correct"]).sum()),
        "ungraded": int(questions["reply_correct"].is_null().sum()) - int(failed),
        "errors": int(failed),
    }


def _accuracy(questions: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Share of right replies; a reply that could not be graded or never came is left out and counted."""
    verdicts = _verdicts(questions)
    graded = questions.filter(questions["reply_correct"].is_not_null())
    (found,) = measure(
        confidence=[1.0] * graded.height,
        correct=graded["reply_correct"].to_list(),
        cluster=graded["cluster"].to_list(),
        metrics=["accuracy"],
        missing=verdicts["ungraded"],
        errors=verdicts["errors"],
        seed=seed,
    )
    return as_json(found)


def _measured(part: pl.DataFrame, column: str, names: tuple[str, ...], scale: Scale, seed: int) -> dict[str, Any]:
    """Metrics of one column of confidences: n, missing (no confidence, or no verdict) and failed add up to all rows."""
    failed = part["error"] != ""
    rest = part.filter(~failed)
    ungraded = rest[column].is_not_null() & rest["correct"].is_null()
    found = measure(
        confidence=rest[column].to_list(),
        correct=rest["correct"].to_list(),
        cluster=rest["cluster"].to_list(),
        metrics=names,
        scale=scale,
        missing=int(ungraded.sum()),
        errors=int(failed.sum()),
        seed=seed,
    )
    return {measurement.name: as_json(measurement) for measurement in found}


def _estimator(part: pl.DataFrame, seed: int) -> dict[str, Any]:
    """One estimator's numbers and curves."""
    import polars as pl

    given = part.filter(part["confidence"].is_not_null())
    # Without any number the scale is never shown, so either will do.
    scale = Scale(given["scale"][0]) if given.height else Scale.UNIT
    about = "own" if (part["about"] == "own").any() else "reply"
    names = RANKING if scale is Scale.REAL else RANKING + PROBABILITY
    reasons = Counter(part.filter(part["confidence"].is_null() & (part["error"] == ""))["reason"].to_list())
    usable = part.filter(_usable())
    if ungraded := given.height - usable.height:
        reasons["the answer could not be graded"] = ungraded
    calibrated = usable.filter(usable["probability"].is_not_null())
    return {
        "name": part["estimator"][0],
        "about": about,
        "scale": scale.value,
        "n": usable.height,
        "missing": sum(reasons.values()),
        "errors": int((part["error"] != "").sum()),
        "reasons": dict(reasons.most_common()),
        "provenance": dict(Counter(given["provenance"].drop_nulls().to_list()).most_common()),
        "usage": {name: _sum(part[name]) for name in ("calls", "tokens_in", "tokens_out")},
        "raw": _measured(part, "confidence", names, scale, seed),
        "calibrated": None
        if not calibrated.height
        else {
            "method": calibrator_for(usable.height),
            "folds": FOLDS,
            **_measured(part.filter(pl.col("probability").is_not_null()), "probability", PROBABILITY, Scale.UNIT, seed),
        },
        "reliability": {
            "raw": _bins(usable, "confidence") if scale is Scale.UNIT else None,
            "calibrated": _bins(calibrated, "probability"),
        },
        "risk_coverage": _curve(usable),
        "selective": _selective(usable),
    }


def _usable() -> pl.Expr:
    """Rows with a confidence and an outcome."""
    import polars as pl

    return pl.col("confidence").is_not_null() & pl.col("correct").is_not_null()


def _sum(column: pl.Series) -> int | None:
    """Sum of a bill; unknown when any part of it is."""
    return None if column.null_count() else int(column.sum())


def _bins(rows: pl.DataFrame, column: str) -> list[dict[str, Any]] | None:
    from doxa.metrics.maths.reliability import reliability_bins

    if not rows.height:
        return None
    found = reliability_bins(confidence=rows[column].to_numpy(), correct=rows["correct"].to_numpy())
    return [
        {
            "low": b.left,
            "high": b.right,
            "n": b.n,
            "confidence": b.confidence,
            "accuracy": b.accuracy,
            "accuracy_low": b.low,
            "accuracy_high": b.high,
        }
        for b in found
    ]


def _curve(rows: pl.DataFrame) -> dict[str, list[float]]:
    from doxa.metrics.maths.risk_coverage import risk_curve

    points = (
        risk_curve(confidence=rows["confidence"].to_numpy(), correct=rows["correct"].to_numpy()) if rows.height else []
    )
    return {
        "coverage": [point.coverage for point in points],
        "risk": [point.risk for point in points],
        "low": [point.low for point in points],
        "high": [point.high for point in points],
        "threshold": [point.threshold for point in points],
    }


def _selective(rows: pl.DataFrame) -> dict[str, float | None] | None:
    """What answering only the surest `COVERAGE` of questions would leave of errors, and at most."""
    from doxa.metrics.maths.risk_coverage import risk_bound

    if rows.height < _FITTABLE_FROM:
        return None
    confidence = rows["confidence"].to_numpy()
    bound = risk_bound(confidence=confidence, correct=rows["correct"].to_numpy(), coverage=COVERAGE)
    surest = [*sorted(confidence.tolist(), reverse=True), -float("inf")]
    # A threshold that cuts through equals would answer more of them than the bound speaks of.
    threshold = surest[bound.n - 1] if surest[bound.n - 1] > surest[bound.n] else None
    return {
        "coverage": COVERAGE,
        "n": bound.n,
        "risk": bound.risk,
        "upper": bound.high,
        "threshold": threshold,
    }


def _rank(entry: dict[str, Any]) -> tuple[bool, float, str]:
    """About the reply first, then by AUROC, the best first; those without one last."""
    auroc = entry["raw"]["auroc"]["value"]
    return entry["about"] == "own", -auroc if auroc is not None else 2.0, entry["name"]


def _best(estimators: list[dict[str, Any]]) -> str | None:
    """The estimator that speaks for belief in groups and examples: belief itself, else the best ranked."""
    known = {entry["name"] for entry in estimators if entry["n"]}
    if BELIEF in known:
        return BELIEF
    ranked = sorted((entry for entry in estimators if entry["name"] in known), key=_rank)
    return ranked[0]["name"] if ranked else None


def _speaker(estimators: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The estimator whose word is set against the share right: word if it was run, else belief, else the best ranked.

    Those that give no probabilities speak only where nobody else does.
    """
    known = [entry for entry in estimators if entry["n"]]
    first = {WORD: 0, BELIEF: 1}
    order = sorted(known, key=lambda entry: (entry["scale"] == Scale.REAL, first.get(entry["name"], 2), _rank(entry)))
    return order[0] if order else None


# -- knows, says, does -------------------------------------------------------------------------------------------------

_LABELS = {"knows": (BELIEF, "samples"), "says": (WORD, "two turns"), "does": (DEED, "three acts")}
_ACTS = ("answers", "keeps", "bets")


def _agreement(items: pl.DataFrame, seed: int) -> dict[str, Any] | None:
    """The knows/says/does table, or `None` when one of the three was not asked for."""
    from doxa.metrics.maths.agreement import agree
    from doxa.metrics.maths.wording import sentences

    if not {BELIEF, WORD, DEED} <= set(items["estimator"]):
        return None
    sides = {name: items.filter(items["estimator"] == name) for name in (BELIEF, WORD, DEED)}
    values = {name: part["confidence"].to_list() for name, part in sides.items()}
    base = sides[BELIEF]
    details = [json.loads(text) if text else {} for text in sides[DEED]["details"]]
    acts = [[None if d.get(act) is None else bool(d[act]) for d in details] for act in _ACTS]
    table = agree(
        belief=values[BELIEF],
        word=values[WORD],
        deed=values[DEED],
        correct=base["reply_correct"].to_list(),
        cluster=base["cluster"].to_list(),
        acts=acts,
        seed=seed,
    )
    standings = {"knows": table.knows, "says": table.says, "does": table.does}
    edges: dict[str, Any] = {
        "knows-says": {"rank": as_json(table.knows_says), "gap": as_json(table.gap)},
        "knows-does": {"rank": as_json(table.knows_does)},
        "says-does": {"rank": as_json(table.says_does), "rational": as_json(table.rational)},
    }
    for pair in list(edges):
        one, other = (values[_LABELS[side][0]] for side in pair.split("-"))
        edges[pair]["points"] = _points(one, other, base["reply_correct"].to_list())
    for side, standing in standings.items():
        usable = sides[_LABELS[side][0]].filter(_usable())
        bins = _bins(usable, "confidence")
        edges[f"{side}-world"] = {"auroc": as_json(standing.auroc), "ece": as_json(standing.ece), "bins": bins}
    corners: dict[str, Any] = {
        side: {
            "estimator": _LABELS[side][0],
            "label": _LABELS[side][1],
            "mean": as_json(standing.mean),
            "auroc": as_json(standing.auroc),
            "ece": as_json(standing.ece),
            "overconfidence": as_json(standing.overconfidence),
        }
        for side, standing in standings.items()
    }
    corners["world"] = {"accuracy": as_json(table.accuracy)}
    return {"n": base.height, "corners": corners, "edges": edges, "sentences": sentences(table)}


def _points(one: list[float | None], other: list[float | None], correct: list[bool | None]) -> list[list[Any]]:
    rows = zip(one, other, correct, strict=True)
    return [[x, y, right] for x, y, right in rows if x is not None and y is not None and right is not None]


# -- groups and examples -----------------------------------------------------------------------------------------------


def _groups(
    items: pl.DataFrame, questions: pl.DataFrame, speaker: dict[str, Any] | None, seed: int
) -> list[dict[str, Any]]:
    """Accuracy and overconfidence per value of each tag, the most overconfident first."""
    import polars as pl

    name, scale = (speaker["name"], Scale(speaker["scale"])) if speaker else (None, Scale.UNIT)
    said = items.clear() if name is None else items.filter(pl.col("estimator") == name)
    names = ("overconfidence", "auroc")
    groups = []
    for column in (name for name in questions.columns if name.startswith("tag.")):
        for value in sorted(questions[column].drop_nulls().unique()):
            members = questions.filter(pl.col(column) == value)
            if members.height < _GROUP_FROM or members.height == questions.height:
                continue
            rows = said.filter(pl.col(column) == value)
            groups.append(
                {
                    "tag": column.removeprefix("tag."),
                    "value": value,
                    "n": members.height,
                    "estimator": name,
                    "accuracy": _accuracy(members, seed),
                    **dict.fromkeys(names),
                    **(_measured(rows, "confidence", names[scale is Scale.REAL :], scale, seed) if rows.height else {}),
                }
            )
    return sorted(groups, key=_overconfidence)


def _overconfidence(group: dict[str, Any]) -> tuple[float, str, str]:
    measured = group["overconfidence"]
    value = measured["value"] if measured and measured["value"] is not None else -2.0
    return -value, group["tag"], group["value"]


def _examples(
    items: pl.DataFrame, estimator: str | None, texts: Callable[[Sequence[str]], pl.DataFrame] | None
) -> dict[str, list[dict[str, Any]]]:
    """Questions worth reading: surest and wrong, least sure and right, word and belief furthest apart."""
    import polars as pl

    wide = items.pivot("estimator", index="question", values="confidence", aggregate_function="first")
    shown = [name for name in ("question", "reply_correct", "text", "reply", "accepted") if name in items.columns]
    questions = items.unique("question", maintain_order=True).select(shown)
    rows = questions.join(wide, on="question", maintain_order="left")
    if estimator is None:
        return {"surest_wrong": [], "least_sure_right": [], "word_belief_apart": []}
    known = rows.filter(pl.col(estimator).is_not_null())
    wrong = known.filter(~pl.col("reply_correct")).sort(estimator, "question", descending=[True, False])
    right = known.filter(pl.col("reply_correct")).sort(estimator, "question")
    apart = known.clear()
    if WORD in rows.columns and BELIEF in rows.columns:
        gap = (pl.col(WORD) - pl.col(BELIEF)).abs()
        apart = known.filter(gap.is_not_null()).sort(gap, "question", descending=[True, False])
    tables = {"surest_wrong": wrong, "least_sure_right": right, "word_belief_apart": apart}
    some = {name: table.head(EXAMPLES) for name, table in tables.items()}
    if texts is not None:
        found = texts(pl.concat([table["question"] for table in some.values()]).unique().to_list())
        some = {name: table.join(found, on="question", maintain_order="left") for name, table in some.items()}
    return {name: _shown(table, estimator) for name, table in some.items()}


def _shown(rows: pl.DataFrame, estimator: str) -> list[dict[str, Any]]:
    return [
        {
            "question": row["question"],
            "text": row["text"],
            "reply": row["reply"],
            "accepted": json.loads(row["accepted"]) if row["accepted"] else [],
            "correct": row["reply_correct"],
            "belief": row.get(BELIEF),
            "word": row.get(WORD),
            "deed": row.get(DEED),
            "estimator": estimator,
            "confidence": row[estimator],
        }
        for row in rows.iter_rows(named=True)
    ]
