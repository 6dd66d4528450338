"""The tables of the reports: cells of text with the reasons for what is missing as notes below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from doxa.report.facts import CHANGES, NAMES, THINKING, Json, changed, rests_on, thought, total_tokens
from doxa.report.numbers import NONE, M, chance, count, interval, number, percent, spoken, why

COUNTS = (("n", ""), ("missing", ""), ("errors", ""))
NOT_UNIT = "not on [0, 1], so no probability before calibration"
ONE_KIND = "nothing to rank where all are right or all are wrong"
NO_ESTIMATOR = "no estimator gave a number"
NOT_BOTH = "no question where both answers could be graded"
NOT_CALIBRATED = "too few or too one-sided answers to calibrate on held-out folds"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, the same in full (`title`), and the letter of the note that explains a blank."""

    text: str
    title: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns as (name, second line); the first is the row's name. `notes` maps a reason to its letter."""

    columns: tuple[tuple[str, str], ...]
    rows: list[list[Cell]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def blank(self, reason: str) -> Cell:
        """A dash with a note."""
        i = len(self.notes)
        return Cell(NONE, reason, self.notes.setdefault(reason, chr(97 + i % 26) * (1 + i // 26)))

    def measured(self, m: M | None, n: int | None = None, otherwise: str = "not measured") -> Cell:
        """A measurement; its own n is added where the row's is another."""
        if m is None or m["value"] is None:
            return self.blank(why(m, otherwise))
        aside = "" if n is None or m["n"] == n else f" (n {count(m['n'])})"
        return Cell(interval(m) + aside, spoken(m))

    def tested(self, m: M | None, otherwise: str) -> Cell:
        """The p of a test, with what was tested."""
        return self.blank(otherwise) if m is None or m["value"] is None else Cell(chance(m["value"]), m["reason"])

    def counted(self, value: float | None, reason: str = "the server did not say") -> Cell:
        """A count."""
        return self.blank(reason) if value is None else Cell(count(value), f"{value:,}")

    def counts(self, row: Json) -> list[Cell]:
        """The cells of the columns `COUNTS`."""
        return [self.counted(row[name]) for name, _ in COUNTS]


def estimators(rows: Sequence[Json]) -> Table:
    """The ranking: AUROC, AURC, Brier before and after calibration, ECE, cost, counts."""
    two = (("Brier", "raw"), ("Brier", "calibrated"), ("ECE", "raw"))
    table = Table((("estimator", ""), ("AUROC", ""), ("AURC", ""), *two, ("calls", ""), ("tokens", ""), *COUNTS))
    for row in rows:
        raw, calibrated, n = row["raw"], row["calibrated"] or {}, row["n"]
        based = rests_on(row)
        cells = [Cell(f"{row['name']} ({based})" if based else row["name"]), table.measured(raw.get("auroc"), n)]
        cells.append(table.measured(raw.get("aurc"), n))
        cells.append(table.measured(raw.get("brier_loss"), n, NOT_UNIT))
        cells.append(table.measured(calibrated.get("brier_loss"), n, NOT_CALIBRATED))
        cells.append(table.measured(raw.get("ece"), n, NOT_UNIT))
        usage = row["usage"]
        cells += [table.counted(usage["calls"]), table.counted(total_tokens(usage))]
        table.rows.append([*cells, *table.counts(row)])
    return table


def measures(rows: Sequence[Json], kind: str) -> Table:
    """Every measure of every estimator, `raw` or `calibrated`."""
    blocks = [(row, row[kind] or {}) for row in rows]
    keys = [key for key in NAMES if any(isinstance(block.get(key), dict) for _, block in blocks)]
    table = Table((("estimator", ""), *((NAMES[key], "") for key in keys), ("n", "")))
    reason = NOT_UNIT if kind == "raw" else NOT_CALIBRATED
    for row, block in blocks:
        cells = [table.measured(block.get(key), row["n"], reason) for key in keys]
        table.rows.append([Cell(row["name"]), *cells, table.counted(row["n"])])
    return table


def corners(agreement: Json) -> Table:
    """What each corner is made of, how sure it is on average, and how it stands to the world."""
    table = Table((("corner", ""), ("mean", ""), ("AUROC", ""), ("ECE", ""), ("n", "")))
    for name in ("knows", "says", "does"):
        corner = agreement["corners"][name]
        n = agreement["n"]
        cells = [table.measured(corner.get(key), n) for key in ("mean", "auroc", "ece")]
        table.rows.append([Cell(f"{name} ({corner['estimator']})"), *cells, table.counted(n)])
    return table


def edge(measured: Json) -> Table:
    """The measures of one edge."""
    table = Table((("measure", ""), ("value", ""), *COUNTS))
    for key in ("rank", "gap", "rational", "auroc", "ece"):
        if key in measured:
            table.rows.append([Cell(NAMES[key]), table.measured(measured[key]), *table.counts(measured[key])])
    return table


def bins(rows: Sequence[Json]) -> Table:
    """The bins of a reliability diagram."""
    table = Table((("bin", ""), ("mean", "confidence"), ("share", "right"), ("n", "")))
    for b in (b for b in rows if b["n"]):
        span = f"{number(b['low'], 1)}–{number(b['high'], 1)}"
        right = f"{number(b['accuracy'])} [{number(b['accuracy_low'])}, {number(b['accuracy_high'])}]"
        table.rows.append([Cell(span), Cell(number(b["confidence"])), Cell(right), table.counted(b["n"])])
    return table


def steps(points: Sequence[Json], n: int) -> Table:
    """Errors at round coverages."""
    table = Table((("answered", ""), ("errors", "of the answered"), ("n", "answered")))
    for p in points:
        errors = f"{percent(p['risk'])} [{percent(p['low'])}, {percent(p['high'])}]"
        table.rows.append([Cell(percent(p["coverage"])), Cell(errors), Cell(count(round(p["coverage"] * n)))])
    return table


def groups(rows: Sequence[Json]) -> Table:
    """Accuracy, overconfidence and AUROC by group."""
    by = next((f"by {row['estimator']}" for row in rows if row["estimator"]), "")
    table = Table((("group", ""), ("right", ""), ("overconfidence", by), ("AUROC", by), ("n", "")))
    for row in rows:
        n, silent = row["n"], "" if row["estimator"] else NO_ESTIMATOR
        cells = [table.measured(row["accuracy"], n), table.measured(row["overconfidence"], n, silent or NOT_UNIT)]
        cells.append(table.measured(row["auroc"], n, silent or ONE_KIND))
        table.rows.append([Cell(group_name(row)), *cells, table.counted(n)])
    return table


def changes(metrics: Json) -> list[tuple[str, Table]]:
    """Titles and tables of the section `changes`."""
    drawn: dict[str, Callable[[Sequence[Json]], Table]] = {
        "answers": own_answers,
        "shifts": partial(sides, names=("right", "wrong")),
        "kept": partial(sides, names=("kept", "changed")),
    }
    return [(CHANGES[key], drawn[key](rows)) for key, rows in changed(metrics).items()]


def own_answers(rows: Sequence[Json]) -> Table:
    """Replies against the methods' own answers: accuracies, their difference, and how many became right or wrong."""
    accuracies = (("reply", "right"), ("own answer", "right"), ("own − reply", ""))
    turned = (("became", "right"), ("became", "wrong"), ("p", "McNemar"), ("κ", ""))
    table = Table((("estimator", ""), *accuracies, *turned, *COUNTS))
    for row in rows:
        cells = [table.measured(row[key], otherwise=NOT_BOTH) for key in ("reply", "own", "difference")]
        cells += [table.counted(row[key], NOT_BOTH) for key in ("wrong_right", "right_wrong")]
        cells += [table.tested(row["mcnemar"], NOT_BOTH), table.measured(row["kappa"], otherwise=NOT_BOTH)]
        table.rows.append([Cell(row["name"]), *cells, *table.counts(row)])
    return table


def thinking(metrics: Json) -> list[tuple[str, Table]]:
    """Titles and tables of the section `thinking`."""
    drawn: dict[str, Callable[[Sequence[Json]], Table]] = {"budgets": budgets, "early": early, "between": between}
    return [(THINKING[key], drawn[key](rows)) for key, rows in thought(metrics).items()]


def budgets(rows: Sequence[Json]) -> Table:
    """What answering from a confidence on brings at each budget: how many, how many of them right, what it is worth."""
    worth = tuple(("U", f"wrong costs {risk}") for risk in (0, 1, 20))
    table = Table((("thinking", ""), ("answered", "from"), ("answered", ""), ("right", "of answered"), *worth, *COUNTS))
    keys = ("answered", "accuracy", "utility_0", "utility_1", "utility_20")
    for row in rows:
        cells = [table.measured(row[key]) for key in keys]
        table.rows.append([Cell(row["name"]), Cell(number(row["threshold"])), *cells, *table.counts(row)])
    return table


def early(rows: Sequence[Json]) -> Table:
    """How far answers rest on the reasoning that is shown, beside how often they are right and the same without it."""
    measured = (("right", ""), ("changed", "when cut"), ("same", "without reasoning"), ("cuts", "unreadable"))
    table = Table((("chains", ""), *measured, *COUNTS))
    for row in rows:
        cells = [table.measured(row[key], row["n"]) for key in ("accuracy", "needed", "unaided")]
        table.rows.append([Cell(row["name"]), *cells, table.counted(row["unreadable"]), *table.counts(row)])
    return table


def between(rows: Sequence[Json]) -> Table:
    """Few chains against more: what became right and wrong, and the effect on how far reasoning is needed."""
    measured = (("right", "difference"), ("p", "McNemar"), ("broken", "of easy"), ("solved", "of hard"))
    table = Table((("against fewest", ""), *measured, ("changed when cut", "Cohen's d"), *COUNTS))
    for row in rows:
        cells = [table.measured(row["difference"], otherwise=NOT_BOTH), table.tested(row["mcnemar"], NOT_BOTH)]
        cells += [table.measured(row[key]) for key in ("broken", "solved", "effect")]
        table.rows.append([Cell(row["name"]), *cells, *table.counts(row)])
    return table


def sides(rows: Sequence[Json], names: Sequence[str]) -> Table:
    """One measurement for each of two kinds of answers, which `names` are keys of the rows, with the n of each."""
    table = Table((("estimator", ""), *((name, "") for name in names), *COUNTS))
    for row in rows:
        cells = [table.measured(row[name], row["n"]) for name in names]
        table.rows.append([Cell(row["name"]), *cells, *table.counts(row)])
    return table


def group_name(row: Json) -> str:
    """`bank: capitals`."""
    return f"{row['tag']}: {row['value']}"


def worst_first(rows: Sequence[Json]) -> list[Json]:
    """Groups by overconfidence, then by accuracy; what has neither comes last."""

    def rank(row: Json) -> tuple[float, float]:
        over, right = row["overconfidence"], row["accuracy"]["value"]
        known = over is not None and over["value"] is not None
        return -over["value"] if known else 2.0, 2.0 if right is None else right

    return sorted(rows, key=rank)
