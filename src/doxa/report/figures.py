"""The figures of the page, as SVG: pure functions of the dictionaries in `metrics.json`.

Each says its numbers in words too, for those who do not see it. Nothing is computed here that a table does not show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from doxa.report.facts import Json
from doxa.report.numbers import M, count, number, percent, spoken
from doxa.report.svg import QUARTERS, Panel, axes, drawing, el, fit, label, line, path


def reliability(title: str, bins: Sequence[Json], class_: str = "raw") -> Markup:
    """Share right over mean confidence, bin by bin, with Wilson intervals; below it how many are in each bin."""
    panel, shelf = Panel(44, 30, 296, 250), Panel(44, 302, 296, 40)
    full = [b for b in bins if b["n"]]
    most = max((b["n"] for b in full), default=1)
    bands, points, discs = [], [], []
    for b in full:
        x, y = panel.x(b["confidence"]), panel.y(b["accuracy"])
        box = _box(panel, (b["low"], b["high"]), (b["accuracy_low"], b["accuracy_high"]))
        bands.append(el("rect", class_=f"band {class_}", **box))
        points.append((x, y))
        discs.append(el("circle", cx=x, cy=y, r=2.2 + 3.6 * math.sqrt(b["n"] / most), class_=f"dot {class_}"))
    ideal = line(panel.x(0), panel.y(0), panel.x(1), panel.y(1), "ideal")
    parts = [axes(panel, "", "share right", {}, QUARTERS), ideal, *bands, path(points, f"curve {class_}"), *discs]
    parts += _counts(shelf, full, most)
    said = [
        f"confidence {number(b['low'], 1)} to {number(b['high'], 1)}: mean {number(b['confidence'])}, right "
        f"{number(b['accuracy'])} (from {number(b['accuracy_low'])} to {number(b['accuracy_high'])}), n = {b['n']}"
        for b in full
    ]
    return drawing(360, 392, f"Reliability: {title}", "; ".join(said) + "." if said else "No answers.", *parts)


def _box(panel: Panel, xs: tuple[float, float], ys: tuple[float, float]) -> dict[str, float]:
    left, top = panel.x(xs[0]) + 0.75, panel.y(ys[1])
    return {"x": left, "y": top, "width": panel.x(xs[1]) - left - 0.75, "height": max(1.0, panel.y(ys[0]) - top)}


def _counts(shelf: Panel, full: Sequence[Json], most: int) -> list[Markup]:
    parts = []
    for b in full:
        box = _box(shelf, (b["low"], b["high"]), (0, 0.68 * b["n"] / most))
        parts += [el("rect", class_="count", **box)]
        parts += [label(box["x"] + box["width"] / 2, box["y"] - 3, count(b["n"]), class_="tiny mid")]
    return [*parts, axes(shelf, "confidence", "", QUARTERS, {}), label(38, shelf.top + 40, "n", class_="tick end")]


def risk_coverage(title: str, row: Json, width: float = 360) -> Markup:
    """Errors among the answered over the share answered, with its band; the chosen threshold and its upper bound."""
    curve, chosen = thinned(row["risk_coverage"]), row["selective"]
    top = _ceiling(max([0.0, *curve["high"], *([chosen["upper"]] if chosen else [])]))
    panel = Panel(44, 30, width - 64, 236, ys=(0.0, top))
    steps = {top * i / 4: percent(top * i / 4).replace(" ", "\u2009") for i in range(5)}
    shares = {i / 4: percent(i / 4).replace(" ", "\u2009") for i in range(5)}
    places = [panel.x(c) for c in curve["coverage"]]
    low, risk, high = ([panel.y(v) for v in curve[key]] for key in ("low", "risk", "high"))
    band = [*zip(places, high, strict=True), *reversed([*zip(places, low, strict=True)])]
    parts = [axes(panel, "answered", "errors among the answered", shares, steps)]
    parts += [path(band, "band knows", close=True), path([*zip(places, risk, strict=True)], "curve knows")]
    if chosen:
        x, y, bound = panel.x(chosen["coverage"]), panel.y(chosen["risk"]), panel.y(chosen["upper"])
        parts += [line(x, y, x, bound, "bound"), line(x - 6, bound, x + 6, bound, "bound")]
        parts.append(el("circle", cx=x, cy=y, r=5, class_="chosen"))
        parts.append(label(x, bound - 7, _chosen(chosen), class_="value mid halo"))
    return drawing(width, 312, f"Risk and coverage: {title}", _curve_words(curve, chosen), *parts)


def thinned(curve: Json, most: int = 200) -> dict[str, Any]:
    """At most so many points of a curve, evenly chosen, both ends kept: more than that no eye can see."""
    n = len(curve["coverage"])
    kept = range(n) if n <= most else [round(i * (n - 1) / (most - 1)) for i in range(most)]
    return {key: [curve[key][i] for i in kept] for key in ("coverage", "risk", "low", "high")}


def _ceiling(value: float) -> float:
    return next((step for step in (0.1, 0.2, 0.4, 0.6, 0.8) if value <= step), 1.0)


def _chosen(chosen: Json) -> str:
    return f"{percent(chosen['risk'])}, at most {percent(chosen['upper'])}"


def _curve_words(curve: Json, chosen: Json | None) -> str:
    rows = steps_of(curve)
    said = [f"answering {percent(r['coverage'])}: {percent(r['risk'])} errors" for r in rows]
    if chosen:
        said.append(f"threshold {number(chosen['threshold'])}: {_chosen(chosen)} at {percent(chosen['coverage'])}")
    return "; ".join(said) + "." if said else "No answers."


def steps_of(curve: Json, wanted: Sequence[float] = (1.0, 0.8, 0.6, 0.4, 0.2)) -> list[dict[str, float]]:
    """Points of a risk-coverage curve nearest to round coverages, most coverage first, each once."""
    keys = ("coverage", "risk", "low", "high")
    points = [dict(zip(keys, point, strict=True)) for point in zip(*(curve[key] for key in keys), strict=True)]
    nearest = [min(points, key=lambda p: abs(p["coverage"] - share)) for share in wanted] if points else []
    return [p for i, p in enumerate(nearest) if p not in nearest[:i]]


class Dot(NamedTuple):
    """One row of a dot plot: a measurement, its name, what stands at the right, and whether it is marked."""

    name: str
    measured: M | None
    right: str
    marked: bool = False


class Scale(NamedTuple):
    """What a dot plot shows: names of both columns, the range, the line of no effect, the ticks."""

    title: str
    right: str
    low: float
    high: float
    zero: float
    ticks: dict[float, str]


def dots(title: str, rows: Sequence[Dot], scale: Scale, width: float) -> Markup:
    """One row per name: the value with its interval, and a number at the right."""
    wide = width > 500
    size, step, names, right = (13.0, 23.0, 0.36 * width, 86) if wide else (10.5, 22.0, 0.43 * width, 44)
    panel = Panel(names + 8, 34, width - names - right, step * len(rows), (scale.low, scale.high))
    bottom = panel.top + panel.height
    class_ = "dots" if wide else "dots small"
    parts = [label(panel.left, 18, scale.title, class_="name"), label(width, 18, scale.right, class_="name end")]
    for value, text in scale.ticks.items():
        x = panel.x(value)
        parts.append(line(x, panel.top, x, bottom, "ideal" if value == scale.zero else "hair"))
        parts.append(label(x, bottom + 16, text, class_="tick mid"))
    for i, row in enumerate(rows):
        y = panel.top + step * (i + 0.5)
        strong = " strong" if row.marked else ""
        name = fit(row.name, names - 4, size * (1.06 if row.marked else 1))
        parts.append(label(names - 4, y + 4, name, class_=f"row end{strong}"))
        parts.append(label(width, y + 4, row.right, class_=f"row end{strong}"))
        parts.append(_whisker(panel, y, row))
    said = "; ".join(f"{r.name}: {spoken(r.measured)}, {scale.right} {r.right}{' (marked)' * r.marked}" for r in rows)
    return drawing(width, bottom + 26, title, said or "No rows.", *parts, class_=class_)


def _whisker(panel: Panel, y: float, row: Dot) -> Markup:
    m: dict[str, Any] = dict(row.measured or {"value": None})
    if m["value"] is None:
        return label(panel.left, y + 4, "—", class_="tick")
    ends = [m["value"] if m[key] is None else m[key] for key in ("low", "high")]
    span = line(panel.x(ends[0]), y, panel.x(ends[1]), y, "whisker marked" if row.marked else "whisker")
    return span + el("circle", cx=panel.x(m["value"]), cy=y, r=4.6, class_="pip marked" if row.marked else "pip")


def strip(values: dict[str, float | None]) -> Markup:
    """One question's belief, word and deed on a line from 0 to 1."""
    panel = Panel(8, 0, 184, 16)
    said = ", ".join(f"{name} {number(value)}" for name, value in values.items())
    shapes = [line(8, 8, 192, 8, "axis"), line(8, 5, 8, 11, "axis"), line(192, 5, 192, 11, "axis")]
    known = [(name, value) for name, value in values.items() if value is not None]
    for i, (name, value) in enumerate(known):
        shapes.append(el("circle", cx=panel.x(value), cy=8, r=8 - 2 * i, class_=f"spot {name}"))
    return drawing(200, 16, "From 0 to 1", said, *shapes, class_="strip")
