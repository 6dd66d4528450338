"""Writes the tables of recorded-models.md and recorded-tables.md: what calibration and refusing do to recorded models.

    python docs/recorded.py logs.csv.gz

The table has one row per answer: source, model, task, item, kind (of confidence), confidence in [0, 1] or empty, and
correct (0 or 1). The logs are public; recorded-models.md says where. Everything that is fitted is measured on other
questions than it was fitted on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

import doxa
from doxa import registry
from doxa.calibrators.maths.folds import cross_fit, fold_of
from doxa.metrics import measure
from doxa.metrics.maths.intervals import wilson
from doxa.metrics.maths.multiplicity import holm
from doxa.policies import SelectiveRisk

HERE = Path(__file__).parent
CALIBRATORS = (
    "platt", "temperature", "beta", "spline", "isotonic", "histogram", "bayesian_binning", "venn_abers",
)  # fmt: skip
MEASURES = ("brier_loss", "ece", "auroc")
STATED = "stated"
HAS = ("logit", "token", "msp", "sequence", "answer")
"""Kinds of confidence that the model has rather than says."""
RISKS = (0.05, 0.1, 0.2)
DELTA = 0.05
SHOWN = ("MMLU-Pro", "comparing")
"""Sources whose stated confidence the first page shows."""
TABLES = {"ece": "ece", "brier": "brier_loss", "auroc": "auroc"}
FEWEST = 200


class Log(NamedTuple):
    """The answers of one model with one kind of confidence."""

    source: str
    model: str
    kind: str
    rows: pl.DataFrame

    @property
    def confidence(self) -> np.ndarray:
        """(n,) in [0, 1]."""
        return self.rows["confidence"].to_numpy()

    @property
    def correct(self) -> np.ndarray:
        """(n,) truth values."""
        return self.rows["correct"].to_numpy().astype(bool)

    @property
    def question(self) -> list[str]:
        """What is resampled and dealt to folds."""
        return self.rows["question"].to_list()


def logs(table: pl.DataFrame) -> Iterator[Log]:
    """Every model and kind with enough answers, in the order of their names."""
    table = table.filter(pl.col("confidence").is_between(0, 1) & pl.col("correct").is_not_null())
    table = table.with_columns(question=pl.col("task").cast(pl.String) + ":" + pl.col("item").cast(pl.String))
    parts = table.partition_by("source", "model", "kind", as_dict=True)
    for key, rows in sorted(parts.items()):
        right = int(rows["correct"].sum())
        if rows.height >= FEWEST and 0 < right < rows.height:
            yield Log(*map(str, key), rows.sort("question"))


def values(log: Log, confidence: np.ndarray, intervals: bool = False) -> dict[str, tuple[float, float, float]]:
    """Brier, ECE and AUROC, with their intervals or without."""
    rows = {"confidence": confidence, "correct": log.correct, "cluster": log.question}
    found = measure(**rows, metrics=MEASURES, intervals=intervals)
    return {m.name: (m.value, m.low, m.high) for m in found}


def calibrated(log: Log, name: str) -> np.ndarray:
    """Out-of-fold probabilities, folds disjoint by question."""
    made = registry.build("calibrators", name)
    return cross_fit(made, confidence=log.confidence, correct=log.correct, cluster=log.question)


class Row(NamedTuple):
    """One line of the first table: the measures before and after each calibrator."""

    log: Log
    raw: dict[str, tuple[float, float, float]]
    after: dict[str, dict[str, tuple[float, float, float]]]
    helped: dict[str, tuple[float, float, float]]
    """Brier after minus before, paired, with its interval."""


def row(log: Log) -> Row:
    """Measure one log before and after each calibrator."""
    after, helped = {}, {}
    for name in CALIBRATORS:
        q = calibrated(log, name)
        after[name] = values(log, q)
        d = doxa.compare(q, log.confidence, correct=log.correct, cluster=log.question, metric="brier_loss")
        helped[name] = (d.difference, d.low, d.high)
    return Row(log, values(log, log.confidence, intervals=True), after, helped)


def shown(value: float, digits: int = 3) -> str:
    """`.123`."""
    text = f"{value:.{digits}f}".replace("0.", ".", 1)
    return text.replace("-", "−")


def spanned(value: tuple[float, float, float]) -> str:
    """`.123 (.110 to .135)`."""
    return shown(value[0]) if value[1] is None else f"{shown(value[0])} ({shown(value[1])} to {shown(value[2])})"


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(cells) for cells in body)]
    return "\n".join(f"| {line} |" for line in lines)


def by_calibrator(rows: Sequence[Row], measure_name: str) -> str:
    """One measure of every log, before and after each calibrator."""
    head = ("source", "model", "confidence", "n", "right", "before", *CALIBRATORS)
    body = []
    for one in rows:
        names = (
            one.log.source,
            one.log.model,
            one.log.kind,
            f"{one.log.rows.height:,}",
            f"{one.log.correct.mean():.0%}",
        )
        after = (shown(one.after[name][measure_name][0]) for name in CALIBRATORS)
        body.append((*names, spanned(one.raw[measure_name]), *after))
    return table(head, body)


def summary(rows: Sequence[Row]) -> str:
    """How often each calibrator made the Brier score better or worse beyond its interval, and by how much."""
    head = ("calibrator", "better", "worse", "neither", "median Brier change", "median ECE before", "median ECE after")
    body = []
    for name in CALIBRATORS:
        better = sum(one.helped[name][2] < 0 for one in rows)
        worse = sum(one.helped[name][1] > 0 for one in rows)
        change = float(np.median([one.helped[name][0] for one in rows]))
        before, after = (
            float(np.median([pick(one) for one in rows]))
            for pick in (lambda one: one.raw["ece"][0], lambda one, name=name: one.after[name]["ece"][0])
        )
        cells = (name, str(better), str(worse), str(len(rows) - better - worse))
        body.append((*cells, shown(change), shown(before), shown(after)))
    return table(head, body)


def states_or_has(rows: Sequence[Log]) -> str:
    """Stated confidence against what the model has, on the same questions: raw AUROC, Brier after calibration."""
    found = []
    for said in (log for log in rows if log.kind == STATED):
        for had in (log for log in rows if log[:2] == said[:2] and log.kind in HAS):
            both = said.rows.join(had.rows.select("question", other="confidence"), on="question", how="inner")
            y, q = both["correct"].to_numpy().astype(bool), both["question"].to_list()
            if both.height < FEWEST or y.all():
                continue
            a, b = both["confidence"].to_numpy(), both["other"].to_numpy()
            rank = doxa.compare(a, b, correct=y, cluster=q, metric="auroc")
            made = registry.build("calibrators", "isotonic")
            p, r = (cross_fit(made, confidence=x, correct=y, cluster=q) for x in (a, b))
            brier = doxa.compare(p, r, correct=y, cluster=q, metric="brier_loss")
            found.append((said, had, both.height, rank, brier))
    adjusted = holm([each[3].p for each in found])
    head = (
        "source",
        "model",
        "has",
        "n",
        "AUROC stated",
        "AUROC has",
        "difference",
        "p (Holm)",
        "calibrated Brier difference",
    )
    body = []
    for (said, had, n, rank, brier), p in zip(found, adjusted, strict=True):
        body.append((
            said.source, said.model, had.kind, f"{n:,}", shown(rank.a), shown(rank.b),
            spanned((rank.difference, rank.low, rank.high)), "<.001" if p < 0.001 else shown(p),
            spanned((brier.difference, brier.low, brier.high)),
        ))  # fmt: skip
    return table(head, body)


class Promise(NamedTuple):
    """A share of errors promised on one half of the questions, and what came of it on the other."""

    log: Log
    risk: float
    answered: int
    wrong: int
    of: int

    def cells(self) -> tuple[str, str]:
        """Share answered, and share of those wrong with its interval."""
        if not self.answered:
            return "0%", "—"
        low, high = wilson(self.wrong, self.answered)
        return f"{self.answered / self.of:.0%}", f"{self.wrong / self.answered:.1%} ({low:.1%} to {high:.1%})"


def promised(log: Log, risk: float) -> Promise:
    """Fit on one half of the questions, look at the other."""
    half = fold_of(log.question, folds=2) == 0
    cluster = [question for question, here in zip(log.question, half, strict=True) if here]
    policy = SelectiveRisk(risk=risk, delta=DELTA).fit(
        confidence=log.confidence[half], correct=log.correct[half], cluster=cluster
    )
    threshold = np.inf if policy.threshold is None else policy.threshold
    given = log.confidence[~half] >= threshold
    return Promise(log, risk, int(given.sum()), int((given & ~log.correct[~half]).sum()), int((~half).sum()))


def promises(rows: Sequence[Sequence[Promise]]) -> str:
    """Coverage at promised error rates; models of which nothing can be promised are left out."""
    head = ["source", "model", "confidence", "wrong if all is answered"]
    for risk in RISKS:
        head += [f"answered at {risk:.0%}", "of them wrong"]
    body = []
    for row in rows:
        if any(one.answered for one in row):
            log = row[0].log
            cells = [log.source, log.model, log.kind, f"{1 - log.correct.mean():.1%}"]
            body.append([*cells, *(cell for one in row for cell in one.cells())])
    return table(head, body)


def kept(rows: Sequence[Sequence[Promise]]) -> str:
    """How many promises could be made, and how often more errors came than were promised."""
    head = (
        "promised",
        "could be made for",
        "more errors on the other half",
        "beyond the interval",
        "median share answered",
    )
    body = []
    for i, risk in enumerate(RISKS):
        made = [row[i] for row in rows if row[i].answered]
        over = [one for one in made if one.wrong > risk * one.answered]
        beyond = [one for one in over if wilson(one.wrong, one.answered)[0] > risk]
        share = f"{np.median([one.answered / one.of for one in made]):.0%}"
        body.append((f"at most {risk:.0%}", f"{len(made)} of {len(rows)}", str(len(over)), str(len(beyond)), share))
    return table(head, body)


def filled(name: str, parts: dict[str, str]) -> None:
    """Put tables between the marks of a page."""
    page = HERE / name
    text = page.read_text(encoding="utf-8")
    for part, made in parts.items():
        start, end = f"<!-- {part} -->", f"<!-- /{part} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}\n\n{made}\n\n{end}{after}"
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Read the table, write the tables of both pages."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.exit(__doc__)
    found = list(logs(pl.read_csv(sys.argv[1], infer_schema_length=None)))
    rows = [row(log) for log in found]
    stated = [one for one in rows if one.log.kind == STATED and one.log.source in SHOWN]
    made = [[promised(log, risk) for risk in RISKS] for log in found]
    said = [one for one in made if one[0].log.kind == STATED and one[0].log.source in SHOWN]
    main_page = {"summary": summary(rows), "kept": kept(made), "states": states_or_has(found)}
    main_page |= {"stated": by_calibrator(stated, "brier_loss"), "promises": promises(said)}
    filled("recorded-models.md", main_page)
    every = {name: by_calibrator(rows, measure) for name, measure in TABLES.items()}
    filled("recorded-tables.md", {**every, "promises": promises(made)})


if __name__ == "__main__":
    main()
