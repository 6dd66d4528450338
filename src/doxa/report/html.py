"""The page: one self-contained HTML file, without scripts, without network, every text escaped."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from doxa.files import write
from doxa.report import corners, facts, figures, files, numbers, tables
from doxa.report.facts import Json
from doxa.report.figures import Dot, Scale
from doxa.report.svg import QUARTERS
from doxa.text import clean

_FOLDER = Path(__file__).parent / "templates"
_BEST = 3


def write_html(run_dir: Path, out: Path | None = None) -> Path:
    """Draw a run directory's page to `out` (default: its `report.html`), whole or not at all; return the path.

    Raises `DataError` where `run.json` or `metrics.json` is missing or of another schema.
    """
    return write(render_html(*files.load_run(run_dir)), out or run_dir / "report.html")


def render_html(run: Json, metrics: Json) -> str:
    """The whole page as text: equal input, equal page."""
    parts = {
        "agreement": _agreement(metrics),
        "rankings": [_ranking(metrics, whose) for whose in ("reply", "own") if facts.about(metrics, whose)],
        "changes": tables.changes(metrics),
        "thinking": tables.thinking(metrics),
        "reliabilities": [*_reliabilities(metrics)],
        "refusing": _refusing(metrics),
        "groups": _groups(metrics),
        "examples": _examples(metrics),
    }
    return fill("page.html", run=run, metrics=metrics, **parts)


def fill(template: str, **parts: Any) -> str:
    """A template with its parts, and the style with the digest by which the page's policy allows it."""
    css = (_FOLDER / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return _environment().get_template(template).render(css=Markup(css), digest=digest, **parts)


@cache
def _environment() -> jinja2.Environment:
    """Templates that escape everything and clean every text before it is shown."""
    environment = jinja2.Environment(
        autoescape=True,
        finalize=_cleaned,
        loader=jinja2.FileSystemLoader(_FOLDER),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    written = (
        numbers.number,
        numbers.percent,
        numbers.percent_interval,
        numbers.count,
        numbers.plural,
        numbers.duration,
    )
    environment.filters.update({function.__name__: function for function in (*written, shortened, breakable, prose)})
    environment.globals.update(facts=facts, none=numbers.NONE)
    return environment


def _cleaned(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def shortened(text: str, most: int = 600) -> str:
    """A text cut to a length that is still read."""
    return text if len(text) <= most else text[:most] + " …"


def breakable(text: str) -> Markup:
    """A name that may be broken after its underscores, and is escaped."""
    return Markup("_<wbr>").join(clean(text).split("_"))


def prose(text: str) -> str:
    """Keep a number and its unit on one line."""
    return re.sub(r"(?<=\d) (?=%|[mskhM]\b)|(?<=±) | (?=±)", "\u00a0", text)


class Edge(NamedTuple):
    """One edge of the drawing, opened."""

    name: str
    words: str
    figure: Markup
    table: tables.Table
    bins: tables.Table | None


class Agreement(NamedTuple):
    """The drawing, its corners and its edges."""

    wide: Markup
    narrow: Markup
    corners: tables.Table
    edges: list[Edge]


def _agreement(metrics: Json) -> Agreement | None:
    agreement = metrics.get("agreement")
    if agreement is None:
        return None
    edges = [_edge(name, agreement["edges"][name]) for name in facts.EDGES if name in agreement["edges"]]
    wide, narrow = (corners.corners(agreement, layout) for layout in (corners.WIDE, corners.NARROW))
    return Agreement(wide, narrow, tables.corners(agreement), edges)


def _edge(name: str, edge: Json) -> Edge:
    short = {"rank": "ρ", "gap": "gap", "rational": "rational", "auroc": "AUROC", "ece": "ECE"}
    measured = [f"{text} {numbers.interval(edge[key])}" for key, text in short.items() if key in edge]
    sizes = sorted({numbers.count(edge[key]["n"]) for key in short if key in edge})
    words = " · ".join([*measured, f"n {' and '.join(sizes)}"])
    if "bins" not in edge:
        return Edge(name, words, corners.scatter(name, edge), tables.edge(edge), None)
    bins = edge["bins"] or []
    figure = figures.reliability(name.replace("-", " against the "), bins, name.split("-")[0])
    return Edge(name, words, figure, tables.edge(edge), tables.bins(bins))


class Ranking(NamedTuple):
    """The estimators about one kind of answer: figures for wide and narrow screens, tables, reasons."""

    about: str
    wide: Markup
    narrow: Markup
    table: tables.Table
    measures: tables.Table
    calibrated: tables.Table
    method: str
    reasons: list[tuple[str, str]]


def _ranking(metrics: Json, whose: str) -> Ranking:
    rows = facts.about(metrics, whose)
    best = facts.frontier(rows)
    cost = {r["name"]: f"{r['usage']['calls'] / facts.asked(r):.1f}" for r in rows}
    marks = [Dot(r["name"], r["raw"].get("auroc"), cost[r["name"]], r["name"] in best) for r in rows]
    scale = Scale("AUROC", "calls per question", *_range(rows))
    title = "Estimators by AUROC, with 95 % intervals and cost"
    wide, narrow = (figures.dots(title, marks, scale, width) for width in (720, 350))
    used = {f"{c['method']}, {c['folds']} folds" for c in (r["calibrated"] for r in rows) if c}
    gone = [(r["name"], _tally(r["reasons"])) for r in rows if r["reasons"]]
    every = tables.measures(rows, "raw"), tables.measures(rows, "calibrated")
    return Ranking(whose, wide, narrow, tables.estimators(rows), *every, "; ".join(sorted(used)), gone)


def _tally(counts: Json) -> str:
    return ", ".join(f"{name} {numbers.count(n)}" for name, n in counts.items())


def _range(rows: Sequence[Json]) -> tuple[float, float, float, dict[float, str]]:
    """From the lowest tenth needed to 1, with chance at .5."""
    ends = [r["raw"]["auroc"]["low"] for r in rows if r["raw"]["auroc"]["low"] is not None]
    low = min(4, int(10 * min(ends, default=0.4)))
    return low / 10, 1.0, 0.5, {tick / 10: numbers.number(tick / 10, 1) for tick in range(low, 11)}


class Side(NamedTuple):
    """A diagram and its bins, `raw` or `calibrated`; without one, why there is none."""

    kind: str
    figure: Markup | None
    bins: tables.Table | str


class Reliability(NamedTuple):
    """One estimator's diagrams, before and after calibration; `best` ones are shown, others can be opened."""

    name: str
    sides: list[Side]
    best: bool


def _reliabilities(metrics: Json) -> Iterator[Reliability]:
    shown = 0
    for row in metrics["estimators"]:
        sides = [_side(row, "raw", tables.NOT_UNIT), _side(row, "calibrated", tables.NOT_CALIBRATED)]
        if any(side.figure for side in sides):
            best, shown = row["about"] == "reply" and shown < _BEST, shown + 1
            yield Reliability(row["name"], sides, best)


def _side(row: Json, kind: str, otherwise: str) -> Side:
    bins = row["reliability"][kind]
    if not any(b["n"] for b in bins or ()):
        return Side(kind, None, otherwise)
    return Side(kind, figures.reliability(f"{row['name']}, {kind}", bins, kind), tables.bins(bins))


class Refusing(NamedTuple):
    """What refusing buys: the chosen estimator's curve and steps, its threshold, everybody else's curve."""

    name: str
    figure: Markup
    steps: tables.Table
    chosen: Json | None
    others: list[tuple[str, Markup]]


def _refusing(metrics: Json) -> Refusing | None:
    row = facts.refuser(metrics)
    if row is None:
        return None
    others = [r for r in metrics["estimators"] if r is not row and r["risk_coverage"]["coverage"]]
    drawn = [(r["name"], figures.risk_coverage(r["name"], r)) for r in others]
    steps = tables.steps(figures.steps_of(row["risk_coverage"]), row["n"])
    return Refusing(row["name"], figures.risk_coverage(row["name"], row), steps, row["selective"], drawn)


class Groups(NamedTuple):
    """Where it is worst: overconfidence by group, or without one the share right."""

    measure: str
    estimator: str | None
    wide: Markup
    narrow: Markup
    table: tables.Table


def _groups(metrics: Json) -> Groups | None:
    rows = tables.worst_first(metrics["groups"])
    if not rows:
        return None
    measured = [row["overconfidence"] for row in rows]
    if any(m is not None and m["value"] is not None for m in measured):
        right = (numbers.percent(row["accuracy"]["value"]) for row in rows)
        scale = Scale("overconfidence", "right", *around_zero(measured))
    else:
        measured, right = [row["accuracy"] for row in rows], (numbers.count(row["n"]) for row in rows)
        scale = Scale("share right", "n", 0.0, 1.0, 0.5, QUARTERS)
    names = (tables.group_name(row) for row in rows)
    marks = [Dot(*parts) for parts in zip(names, measured, right, strict=True)]
    wide, narrow = (figures.dots(f"{scale.title} by group", marks, scale, width) for width in (720, 350))
    return Groups(scale.title, rows[0]["estimator"], wide, narrow, tables.groups(rows))


def around_zero(measured: Sequence[Json | None]) -> tuple[float, float, float, dict[float, str]]:
    """Quarters around zero, as far as the intervals reach."""
    known = [m for m in measured if m is not None and m["value"] is not None]
    ends = [m["value"] if m[key] is None else m[key] for m in known for key in ("low", "high")]
    low = max(-4, min(-1, math.floor(4 * min(ends, default=0))))
    high = min(4, max(1, math.ceil(4 * max(ends, default=0))))
    return low / 4, high / 4, 0.0, {tick / 4: numbers.number(tick / 4) for tick in range(low, high + 1)}


EXAMPLES = {
    "surest_wrong": "Surest, and wrong",
    "least_sure_right": "Least sure, and right",
    "word_belief_apart": "Word and belief furthest apart",
}


def _examples(metrics: Json) -> list[tuple[str, list[tuple[Json, Markup | None]]]]:
    """Per kind: its title and each example with its line from 0 to 1, if there is something to put on it."""
    kinds = [(title, metrics["examples"].get(kind) or []) for kind, title in EXAMPLES.items()]
    return [(title, [(one, _strip(one)) for one in chosen]) for title, chosen in kinds if chosen]


def _strip(example: Json) -> Markup | None:
    values = {"knows": example["belief"], "says": example["word"], "does": example["deed"]}
    return None if all(value is None for value in values.values()) else figures.strip(values)
