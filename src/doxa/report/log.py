"""The page of a log: what confidences and outcomes alone say, and what to do with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from doxa.report import figures, tables
from doxa.report.facts import NAMES, Json
from doxa.report.figures import Dot, Scale
from doxa.report.html import around_zero, fill
from doxa.report.numbers import count, interval, number, percent
from doxa.report.tables import COUNTS, Cell, Table

PROMISED = 0.05
"""The share of errors that the figure and the sentence speak of."""
_SHOWN = (0.05, 0.1, 0.2)
"""Promises that groups are compared by."""


def render_log(log: Json) -> str:
    """The whole page as text: equal input, equal page."""
    parts = [_part(part) for part in log["groups"]]
    rows = log["groups"] if len(log["groups"]) > 1 else []
    return fill("log.html", log=log, parts=parts, groups=_groups(rows) if rows else None)


class Part(NamedTuple):
    """One group of rows, or the whole log."""

    name: str
    n: int
    sentences: list[str]
    measures: Table
    before: Markup | None
    bins: Table | None
    after: tuple[str, Markup] | None
    calibrators: Table
    curve: Markup
    narrow: Markup
    thresholds: Table
    promises: Table


def _part(part: Json) -> Part:
    promise = _promised(part)
    chosen = None
    if promise["threshold"] is not None:
        chosen = {"threshold": promise["threshold"], "coverage": promise["coverage"], "risk": promise["seen"]}
        chosen["upper"] = promise["risk"]
    curve = {"risk_coverage": part["curve"], "selective": chosen}
    best = best_of(part)
    bins = part["bins"]
    return Part(
        name_of(part),
        part["n"],
        sentences(part),
        _measures(part),
        figures.reliability("as it is", bins, "raw") if bins else None,
        tables.bins(bins) if bins else None,
        (best["name"], figures.reliability(f"after {best['name']}", best["bins"], "calibrated")) if best else None,
        _calibrators(part),
        figures.risk_coverage("the log", curve, 620),
        figures.risk_coverage("the log", curve, 350),
        _thresholds(part),
        _promises(part),
    )


def name_of(part: Json) -> str:
    """`model = x, kind = y`, or nothing for the whole log."""
    return ", ".join(f"{column} = {value}" for column, value in part["by"].items())


def best_of(part: Json) -> Json | None:
    """The calibrator of the least Brier score on held-out folds."""
    found = [one for one in part["calibrated"] if one["measurements"]["brier_loss"]["value"] is not None]
    return min(found, key=lambda one: one["measurements"]["brier_loss"]["value"], default=None)


def _promised(part: Json) -> Json:
    return next(one for one in part["promises"] if one["risk"] == PROMISED)


def sentences(part: Json) -> list[str]:
    """The answers to the four questions."""
    return [_calibration(part), _ranking(part), _refusing(part), _promise(part)]


def _calibration(part: Json) -> str:
    m = part["measurements"]
    right = percent(m["accuracy"]["value"])
    over = m.get("overconfidence")
    if over is None:
        return f"{right} are right. These scores are no probabilities: only a calibrator makes them so."
    gap, low, high = over["value"], over["low"], over["high"]
    says = f"It is {percent(m['mean_confidence']['value'])} sure on average and right {right} of the time"
    if low is None or low <= 0 <= high:
        off = m["ece"]
        wrong = " yet bin by bin it is off" if off["low"] else " and no bin says otherwise"
        return f"{says}: not shown to be too sure or too unsure,{wrong} (ECE {interval(off)})."
    word = "too sure" if gap > 0 else "not sure enough"
    least, most = sorted((abs(low), abs(high)))
    return f"{says}: {word} by {_tenths(abs(gap))} points (from {_tenths(least)} to {_tenths(most)})."


def _ranking(part: Json) -> str:
    m = part["measurements"]["auroc"]
    if m["value"] is None:
        return "Whether it ranks cannot be said: all answers are right, or all are wrong."
    if m["low"] is not None and m["low"] <= 0.5 <= m["high"]:
        return f"It is not shown to tell right from wrong: AUROC {interval(m)}, and .5 is a coin."
    way = "has the higher confidence" if m["value"] > 0.5 else "has the higher confidence only"
    return f"A right answer {way} in {percent(m['value'])} of pairs with a wrong one (AUROC {interval(m)})."


def _refusing(part: Json) -> str:
    rows = [row for row in part["thresholds"] if row["answered"]]
    whole = rows[0]
    half = min(rows, key=lambda row: abs(row["coverage"] - 0.5))
    auroc = part["measurements"]["auroc"]
    if half is whole or auroc["low"] is None or auroc["low"] <= 0.5:
        return f"{percent(whole['risk'])} of all answers are wrong, and refusing some is not shown to help."
    return (
        f"Answering only from {precise(half['threshold'])} on gives {percent(half['coverage'])} of the answers; "
        f"{_tenths(half['risk'])} % of those are wrong (from {_tenths(half['low'])} to {_tenths(half['high'])}) "
        f"instead of {_tenths(whole['risk'])} %."
    )


def _promise(part: Json) -> str:
    one = _promised(part)
    if one["threshold"] is not None:
        return kept(one)
    why = one["reason"].removeprefix("no threshold qualifies: ")
    kept_ones = [other for other in part["promises"] if other["threshold"] is not None]
    rest = f" {kept(kept_ones[0])}" if kept_ones else ""
    return f"No threshold is shown to keep errors under {percent(one['risk'])}: {why}.{rest}"


def kept(one: Json) -> str:
    """A promise that can be kept."""
    held, sure = one["held_out"], percent(1 - one["delta"])
    tried = (
        "" if held["risk"] is None else f"; tried on rows it was not chosen on, {_tenths(held['risk'])} % were wrong"
    )
    return (
        f"From {precise(one['threshold'])} on, at most {percent(one['risk'])} of the answers are wrong, with {sure} "
        f"confidence, and {percent(one['coverage'])} are answered{tried}."
    )


def _measures(part: Json) -> Table:
    table = Table((("measure", ""), ("value", ""), *COUNTS))
    for name, m in part["measurements"].items():
        table.rows.append([Cell(NAMES.get(name, name.replace("_", " "))), table.measured(m), *table.counts(m)])
    return table


def _calibrators(part: Json) -> Table:
    table = Table((("calibrator", ""), ("Brier", ""), ("log loss", ""), ("ECE", ""), ("AUROC", ""), ("n", "")))
    keys = ("brier_loss", "log_loss", "ece", "auroc")
    if part["scale"] == "unit":
        cells = [table.measured(part["measurements"].get(key)) for key in keys]
        table.rows.append([Cell("none"), *cells, table.counted(part["n"])])
    for one in part["calibrated"]:
        cells = [table.measured(one["measurements"][key]) for key in keys]
        table.rows.append([Cell(one["name"]), *cells, table.counted(part["n"])])
    return table


def _thresholds(part: Json) -> Table:
    errors = (("answered", ""), ("n", "answered"), ("wrong", "of the answered"), ("errors", "avoided"))
    table = Table((("answer from", ""), *errors))
    for row in part["thresholds"]:
        wrong = _share(table, row)
        avoided = table.blank("no answer is wrong") if row["avoided"] is None else Cell(percent(row["avoided"]))
        share = Cell(percent(row["coverage"]))
        table.rows.append([Cell(precise(row["threshold"])), share, table.counted(row["answered"]), wrong, avoided])
    return table


def _promises(part: Json) -> Table:
    held = (("answered", "held out"), ("wrong", "held out"))
    table = Table((("at most wrong", ""), ("answer from", ""), ("answered", ""), *held))
    for one in part["promises"]:
        first = Cell(percent(one["risk"]))
        if one["threshold"] is None:
            dash = table.blank(one["reason"])
            table.rows.append([first, dash, Cell(percent(0)), Cell(percent(one["held_out"]["coverage"])), dash])
            continue
        out = one["held_out"]
        shares = [Cell(percent(one["coverage"])), Cell(percent(out["coverage"])), _share(table, out)]
        cells = [Cell(precise(one["threshold"])), *shares]
        table.rows.append([first, *cells])
    return table


def precise(threshold: float) -> str:
    """A threshold rounded up, so that from there on nothing more is answered, and never to 1; at least three digits.

    >>> precise(0.95), precise(0.9504), precise(0.99977), precise(1.0), precise(-3.21)
    ('.950', '.951', '.9998', '1.000', '−3.210')
    """
    for digits in range(3, 12):
        up = math.ceil(threshold * 10**digits - 1e-6) / 10**digits
        if threshold >= 1 or up < 1:
            return number(up, digits)
    return number(threshold, 12)


def _tenths(share: float) -> str:
    """A share in tenths of a per cent, without the sign."""
    return f"{100 * share:.1f}"


def _share(table: Table, row: Json) -> Cell:
    """A share of errors with its interval."""
    if row["risk"] is None:
        return table.blank("nothing is answered")
    return Cell(f"{_tenths(row['risk'])} % [{_tenths(row['low'])}, {_tenths(row['high'])}]")


class Groups(NamedTuple):
    """All groups beside each other."""

    title: str
    wide: Markup
    narrow: Markup
    table: Table


def _groups(rows: Sequence[Json]) -> Groups:
    unit = all("overconfidence" in row["measurements"] for row in rows)
    key = "overconfidence" if unit else "auroc"
    ordered = sorted(rows, key=lambda row: -(row["measurements"][key]["value"] or 0.0))
    marks = [Dot(_values(row), row["measurements"][key], count(row["n"])) for row in ordered]
    scale = Scale(key, "n", *around_zero([row["measurements"][key] for row in rows])) if unit else _auroc()
    wide, narrow = (figures.dots(f"{scale.title} by group", marks, scale, width) for width in (720, 350))
    return Groups(scale.title, wide, narrow, _compared(ordered, unit))


def _auroc() -> Scale:
    return Scale("AUROC", "n", 0.4, 1.0, 0.5, {tick / 10: number(tick / 10, 1) for tick in range(4, 11)})


def _values(row: Json) -> str:
    return " · ".join(row["by"].values())


def _compared(rows: Sequence[Json], unit: bool) -> Table:
    own: tuple[tuple[str, str], ...] = (("sure", ""), ("ECE", "")) if unit else ()
    promised = tuple(("answered at", f"{percent(risk)} wrong") for risk in _SHOWN)
    table = Table((("group", ""), ("right", ""), *own, ("AUROC", ""), *promised, *COUNTS))
    for row in rows:
        m: dict[str, Any] = row["measurements"]
        keys = ("accuracy", "mean_confidence", "ece", "auroc") if unit else ("accuracy", "auroc")
        cells = [table.measured(m[key]) for key in keys]
        cells += [Cell(percent(one["coverage"])) for one in row["promises"] if one["risk"] in _SHOWN]
        table.rows.append([Cell(_values(row)), *cells, *table.counts(m["accuracy"])])
    return table
