"""The figures of the page, as SVG: pure functions of the dictionaries in `metrics.json`.

Each says its numbers in words too, for those who do not see it. Nothing is computed here that a table does not show.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from doxa.report.facts import EDGES, Json
from doxa.report.numbers import M, count, interval, number, percent, spoken
from doxa.report.svg import Panel, axes, drawing, el, fit, label, line, path

QUARTERS = {0.0: "0", 0.25: ".25", 0.5: ".5", 0.75: ".75", 1.0: "1"}
_SPOTS = {"knows": (92, 82), "says": (388, 82), "does": (92, 282), "world": (388, 282)}
_THICK = 22.0


def strength(name: str, edge: Json) -> tuple[float, float, float] | None:
    """Low, value and high of an edge's agreement, from -1 to 1: ρ between corners, 2 × AUROC - 1 with the world."""
    world = name.endswith("-world")
    m: M = edge["auroc"] if world else edge["rank"]
    if m["value"] is None:
        return None
    low, value, high = (m["value"] if m[key] is None else m[key] for key in ("low", "value", "high"))
    return (2 * low - 1, 2 * value - 1, 2 * high - 1) if world else (low, value, high)


def corners(agreement: Json) -> Markup:
    """Knows, says, does and the world as four corners; the six edges are as thick as the two agree."""
    edges = Markup("").join(_edge(name, agreement["edges"].get(name)) for name in EDGES)
    spots = Markup("").join(_corner(name, agreement["corners"].get(name)) for name in _SPOTS)
    said = [f"{name.replace('-', ' and ')}: {_edge_words(name, agreement['edges'].get(name))}" for name in EDGES]
    title = "Knows, says, does and the world: how much each two agree"
    return drawing(480, 364, title, "; ".join(said) + ".", edges, spots, class_="corners")


def _edge_words(name: str, edge: Json | None) -> str:
    if edge is None:
        return "not measured"
    measures = {"auroc": "AUROC", "ece": "ECE", "rank": "rank agreement", "gap": "gap", "rational": "rational share"}
    return ", ".join(f"{text} {spoken(edge[key])}" for key, text in measures.items() if key in edge)


def _edge(name: str, edge: Json | None) -> Markup:
    start, end = (_SPOTS[corner] for corner in name.split("-"))
    reach = None if edge is None else strength(name, edge)
    ends = (*start, *end)
    strokes = [line(*ends, "edge none")]
    if reach is not None:
        sign = " against" if reach[1] < 0 else ""
        inward = sorted(max(0.0, -r if sign else r) for r in reach)
        layers = zip(("high", "value", "low"), reversed(inward), strict=True)
        strokes = [line(*ends, f"edge {key}{sign}", stroke_width=max(1.0, _THICK * w)) for key, w in layers if w > 0]
        strokes.append(line(*ends, "edge none"))
    share = 0.27 if name in ("knows-world", "says-does") else 0.5
    x, y = start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])
    measure = "AUROC " if name.endswith("-world") else "ρ "
    m = None if edge is None else edge["auroc" if name.endswith("-world") else "rank"]
    parts = [*strokes, label(x, y + 5, measure + interval(m), class_="value mid halo")]
    if edge is not None and edge.get("rational") is not None:
        parts.append(label(x, y + 21, "rational " + interval(edge["rational"]), class_="note mid halo"))
    return el("a", *parts, href=f"#{name}", tabindex="-1") if edge is not None else Markup("").join(parts)


def _corner(name: str, corner: Json | None) -> Markup:
    x, y = _SPOTS[name]
    above = y < 180
    corner = corner or {}
    mean = corner.get("accuracy") if name == "world" else corner.get("mean")
    words = "right" if name == "world" else corner.get("label", "")
    about = f"{words} {percent(mean['value'] if mean else None)}" if name == "world" else words
    value = "" if name == "world" or mean is None else f"mean {percent(mean['value'])}"
    lines = [label(x, y + (-44 if above else 44), name, class_="corner mid")]
    lines.append(label(x, y + (-26 if above else 61), fit(", ".join(filter(None, (about, value))), 186, 12), class_="note mid"))
    return el("g", el("circle", cx=x, cy=y, r=15, class_=f"spot {name}"), *lines)


def scatter(name: str, edge: Json) -> Markup:
    """Every question at its two confidences; equal ones are one disc (right) or ring (wrong) of that area."""
    horizontal, vertical = name.split("-")
    panel = Panel(44, 30, 296, 260)
    tally = Counter((round(x, 2), round(y, 2), bool(right)) for x, y, right in edge["points"])
    largest = max(tally.values(), default=1)
    unit = min(3.2, 13 / math.sqrt(largest))
    marks = [
        el("circle", cx=panel.x(x), cy=panel.y(y), r=max(1.8, unit * math.sqrt(n)), class_="right" if ok else "wrong")
        for (x, y, ok), n in sorted(tally.items(), key=lambda item: (-item[1], item[0]))
    ]
    right = sum(n for (_, _, ok), n in tally.items() if ok)
    both = line(panel.x(0), panel.y(0), panel.x(1), panel.y(1), "ideal")
    total = sum(tally.values())
    words = f"{total} questions, {right} of them answered right; {_edge_words(name, edge)}."
    parts = (axes(panel, horizontal, vertical, QUARTERS, QUARTERS), both, *marks)
    return drawing(360, 336, f"{horizontal} against {vertical}", words, *parts)


def reliability(title: str, bins: Sequence[Json], class_: str = "raw") -> Markup:
    """Share right over mean confidence, bin by bin, with Wilson intervals; below it how many are in each bin."""
    panel, shelf = Panel(44, 30, 296, 250), Panel(44, 302, 296, 40)
    full = [b for b in bins if b["n"]]
    bands = [
        el("rect", class_=f"band {class_}", **_box(panel, (b["low"], b["high"]), (b["accuracy_low"], b["accuracy_high"])))
        for b in full
    ]
    points = [(panel.x(b["confidence"]), panel.y(b["accuracy"])) for b in full]
    most = max((b["n"] for b in full), default=1)
    radius = {b["n"]: 2.2 + 3.6 * math.sqrt(b["n"] / most) for b in full}
    dots = [el("circle", cx=x, cy=y, r=radius[b["n"]], class_=f"dot {class_}") for (x, y), b in zip(points, full, strict=True)]
    parts = [axes(panel, "", "share right", {}, QUARTERS), line(panel.x(0), panel.y(0), panel.x(1), panel.y(1), "ideal")]
    parts += [*bands, path(points, f"curve {class_}"), *dots, *_counts(shelf, full, most)]
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
    curve, chosen = row["risk_coverage"], row["selective"]
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
        parts += [el("circle", cx=x, cy=y, r=5, class_="chosen"), label(x, bound - 7, _chosen(chosen), class_="value mid halo")]
    return drawing(width, 312, f"Risk and coverage: {title}", _curve_words(curve, chosen), *parts)


def _ceiling(value: float) -> float:
    return next((step for step in (0.1, 0.2, 0.4, 0.6, 0.8) if value <= step), 1.0)


def _chosen(chosen: Json) -> str:
    return f"{percent(chosen['risk'])}, at most {percent(chosen['upper'])}"


def _curve_words(curve: Json, chosen: Json | None) -> str:
    rows = steps_of(curve)
    said = [f"answering {percent(r['coverage'])}: {percent(r['risk'])} errors" for r in rows]
    said += [f"threshold {number(chosen['threshold'])}: {_chosen(chosen)} at {percent(chosen['coverage'])}"] if chosen else []
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
    size, step, names = (13.0, 23.0, 0.34) if width > 500 else (11.0, 22.0, 0.4)
    panel = Panel(names * width + 8, 34, width * (1 - names) - 86, step * len(rows), (scale.low, scale.high))
    bottom = panel.top + panel.height
    class_ = "dots" if width > 500 else "dots small"
    hairs = [line(panel.x(v), panel.top, panel.x(v), bottom, "ideal" if v == scale.zero else "hair") for v in scale.ticks]
    ticks = [label(panel.x(v), bottom + 16, text, class_="tick mid") for v, text in scale.ticks.items()]
    heads = [label(panel.left, 18, scale.title, class_="name"), label(width, 18, scale.right, class_="name end")]
    marks = []
    for i, row in enumerate(rows):
        y = panel.top + step * (i + 0.5)
        strong = " strong" if row.marked else ""
        marks.append(label(names * width - 4, y + 4, fit(row.name, names * width, size), class_=f"row end{strong}"))
        marks.append(label(width, y + 4, row.right, class_=f"row end{strong}"))
        marks.append(_whisker(panel, y, row))
    said = "; ".join(f"{r.name}: {spoken(r.measured)}, {scale.right} {r.right}{' (marked)' * r.marked}" for r in rows)
    return drawing(width, bottom + 26, title, said or "No rows.", *hairs, *ticks, *heads, *marks, class_=class_)


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
    shapes += [el("circle", cx=panel.x(v), cy=8, r=8 - 2 * i, class_=f"spot {name}") for i, (name, v) in enumerate(known)]
    return drawing(200, 16, "From 0 to 1", said, *shapes, class_="strip")
