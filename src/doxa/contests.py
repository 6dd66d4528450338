"""Who is better on the same questions: estimators of a run, runs of several models, or logged predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.errors import DataError, UsageError
from doxa.scoring import choose_columns, existing, read_table, typed, where
from doxa.types import Scale

if TYPE_CHECKING:
    import polars as pl

    from doxa.metrics.maths.comparing import Difference

IDS = ("question", "question_id", "id", "item", "item_id")
SIDES = ("estimator", "method", "model")
"""Names of columns that are recognised when none is given; the first that is there is taken."""
ENOUGH = 0.9
"""Share of the most numbers any rival has that the reference must have, if it is picked by its value."""


@dataclass(frozen=True, slots=True)
class Rivals:
    """What is compared, one row per question, rival and group of comparable numbers."""

    table: pl.DataFrame
    """Columns question, cluster, group, about, rival, confidence, correct, scale."""
    names: list[str]
    """The rivals in their order; of models the first is the reference unless another is named."""
    models: bool
    """Rivals gave answers of their own, so that accuracy differs too; else they judge the same answers."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Questions that not all models were asked, by model."""

    @property
    def questions(self) -> int:
        """Questions that are compared."""
        return self.table["question"].n_unique()


@dataclass(frozen=True, slots=True)
class Entry:
    """One rival held against the reference."""

    name: str
    group: str
    difference: Difference
    holm: float | None
    """p among all entries of its contest."""
    gained: int | None = None
    """Of answers: questions the reference gets wrong and this one right."""
    lost: int | None = None


@dataclass(frozen=True, slots=True)
class Contest:
    """One metric, one kind of answer, one reference."""

    metric: str
    about: str
    reference: str
    picked: bool
    """The reference is the best of all, which its p-values pay for."""
    among: int
    """Pairs that Holm's adjustment counts."""
    entries: list[Entry]


def open_rivals(
    paths: Sequence[Path],
    *,
    item: str | None = None,
    across: str | None = None,
    cluster: str | None = None,
    confidence: str | None = None,
    correct: str | None = None,
    scale: Scale = Scale.UNIT,
    conditions: Sequence[str] = (),
    estimators: Sequence[str] = (),
) -> Rivals:
    """Read a run, several runs, several files of predictions, or one whose column `across` names the rivals.

    Models are compared on the questions that all were asked. Raises `UsageError` for files that do not go together,
    `DataError` for a bad cell or two rows of one question.
    """
    import polars as pl

    runs = [path.is_dir() for path in paths]
    if any(runs) and not all(runs):
        raise UsageError("runs and files of predictions do not go together", hint="give runs only, or files only")
    conditions = [*conditions, *(f"estimator={name}" for name in estimators)]
    chosen = {"item": item, "cluster": cluster, "confidence": confidence, "correct": correct}
    if all(runs):
        tables = [_of_run(path, conditions, confidence) for path in paths]
        names = _run_names(paths)
    else:
        tables = [_of_file(path, conditions, chosen, scale, across, alone=len(paths) == 1) for path in paths]
        names = [path.name.split(".")[0] for path in paths] if len(paths) > 1 else []
    if len(paths) == 1:
        (table,) = tables
        return _checked(_sorted_by_kind(table, "rival"), list(dict.fromkeys(table["rival"])), not runs[0], paths)
    if across is not None:
        raise UsageError("--across is for one file that holds all rivals", hint="leave it out, or give one file")
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    named = [part.with_columns(rival=pl.lit(name), group="rival") for part, name in zip(tables, names, strict=True)]
    return _checked(_sorted_by_kind(pl.concat(named), "group"), names, True, paths)


def contest(rivals: Rivals, metric: str, *, reference: str | None = None, seed: int = 0) -> list[Contest]:
    """Hold all rivals against the reference, kinds of answers apart: numbers about the reply, about own answers.

    Estimators without a named reference are held against the best, whichever it is; then Holm's adjustment counts all
    pairs that could have been picked. Models are held against the first. Accuracy is that of the replies.
    Raises `UsageError` for an unknown reference or metric, or fewer than two rivals.
    """
    if reference is not None and reference not in rivals.names:
        raise UsageError(f"there is no {reference!r} to compare with", hint=f"there are: {', '.join(rivals.names)}")
    if metric == "accuracy" and rivals.models:
        return [_against(rivals, _answers(rivals.table), metric, "reply", reference or rivals.names[0], seed=seed)]
    made = []
    for about in ("reply", "own"):
        table = rivals.table.filter(rivals.table["about"] == about)
        names = [name for name in rivals.names if (table["rival"] == name).any()]
        if len(names) < 2 or (reference is not None and reference not in names):
            continue
        against = reference or (names[0] if rivals.models else _best(table, names, metric))
        picked = reference is None and not rivals.models
        made.append(_against(rivals, table, metric, about, against, picked=picked, seed=seed))
    if not made:
        raise UsageError("there are no two to compare", hint="numbers about the reply and about own answers do not mix")
    return made


def verdicts(rivals: Rivals) -> pl.DataFrame:
    """Verdicts on the replies as numbers, a row a question and a column a rival; only questions that all have one."""
    import polars as pl

    replies = _answers(rivals.table).with_columns(pl.col("correct").cast(pl.Float64))
    return replies.pivot("rival", index="question", values="correct").drop_nulls().select(rivals.names)


def _answers(table: pl.DataFrame) -> pl.DataFrame:
    """One row per question and rival with the verdict on its reply, which every confidence is about."""
    import polars as pl

    replies = table.unique(["question", "rival"], keep="first", maintain_order=True)
    return replies.with_columns(
        group=pl.lit(""),
        correct=pl.col("answered"),
        confidence=pl.when(pl.col("answered").is_not_null()).then(1.0),
        scale=pl.lit(Scale.UNIT.value),
    )


def _against(
    rivals: Rivals, table: pl.DataFrame, metric: str, about: str, reference: str, *, seed: int, picked: bool = False
) -> Contest:
    """Compare every rival with the reference, group by group, and adjust the p-values together."""
    from doxa.metrics.maths.multiplicity import holm

    found: list[tuple[str, str, Difference, tuple[int, int] | None]] = []
    for group in table["group"].unique(maintain_order=True):
        parts = {str(part["rival"][0]): part for part in table.filter(table["group"] == group).partition_by("rival")}
        others = [name for name in rivals.names if name in parts and name != reference]
        if reference in parts:
            found += [(name, group, *_pair(parts[name], parts[reference], metric, seed)) for name in others]
    tested = sum(difference.p is not None for _, _, difference, _ in found)
    among = (tested + 1) * tested // 2 if picked else tested
    adjusted = holm([difference.p for _, _, difference, _ in found], among)
    entries = [
        Entry(name, group, difference, p, *(changed or ()))
        for (name, group, difference, changed), p in zip(found, adjusted, strict=True)
    ]
    return Contest(metric, about, reference, picked, among, entries)


def _pair(one: pl.DataFrame, other: pl.DataFrame, metric: str, seed: int) -> tuple[Difference, tuple[int, int] | None]:
    """The difference of one rival minus the other on the same questions; of answers also what was gained and lost."""
    from doxa.metrics.maths.comparing import Difference, compare
    from doxa.metrics.maths.rule import rule

    both = one.join(other, on="question", how="full", suffix="_b", coalesce=True).sort("question")
    scales = {*one["scale"], *other["scale"]}
    if Scale.REAL.value in scales and rule(metric).scale is Scale.UNIT:
        why = "needs confidences in [0, 1]: --confidence probability takes the calibrated ones of a run"
        n = both.drop_nulls(["confidence", "confidence_b"]).height
        return Difference(metric, None, None, None, None, None, None, n, 0, rule(metric).better, why), None
    made = compare(
        both["confidence"],
        both["confidence_b"],
        correct=both["correct"],
        correct_b=both["correct_b"],
        cluster=both["cluster"].fill_null(both["cluster_b"]).to_numpy(),
        metric=metric,
        seed=seed,
    )
    if metric != "accuracy":
        return made, None
    known = both.drop_nulls(["correct", "correct_b"])
    right, was = known["correct"], known["correct_b"]
    return made, (int((right & ~was).sum()), int((~right & was).sum()))


def _best(table: pl.DataFrame, names: Sequence[str], metric: str) -> str:
    """The rival with the best value among those that have nearly as many numbers as any."""
    from doxa.metrics.maths.measuring import measure

    measured = {}
    for name in names:
        part = table.filter(table["rival"] == name)
        real = (part["scale"] == Scale.REAL.value).any()
        (measured[name],) = measure(
            confidence=part["confidence"],
            correct=part["correct"],
            metrics=[metric],
            scale=Scale.REAL if real else Scale.UNIT,
            intervals=False,
        )
    most = max(m.n for m in measured.values())
    worth = {"high": lambda value: value, "low": lambda value: -value, "zero": lambda value: -abs(value)}
    usable = [m.value is not None and m.n >= ENOUGH * most for m in measured.values()]
    ranked = [
        worth[m.better](m.value) if use else float("-inf") for m, use in zip(measured.values(), usable, strict=True)
    ]
    return list(measured)[ranked.index(max(ranked))]


def _of_run(path: Path, conditions: Sequence[str], confidence: str | None) -> pl.DataFrame:
    """The rows of a run; those of a failed call have no number and no verdict."""
    import polars as pl

    table = where(read_table(path), conditions)
    columns = choose_columns(table, confidence, "correct")
    scale = pl.lit(Scale.UNIT.value) if columns.confidence == "probability" else pl.col("scale")
    failed = pl.col("error") != ""
    return table.select(
        "question",
        "cluster",
        about="about",
        group=pl.lit(""),
        rival="estimator",
        confidence=pl.when(~failed).then(columns.confidence),
        correct=pl.when(~failed).then("correct"),
        answered="reply_correct",
        scale=scale,
    )


def _of_file(
    path: Path,
    conditions: Sequence[str],
    chosen: dict[str, str | None],
    scale: Scale,
    across: str | None,
    *,
    alone: bool,
) -> pl.DataFrame:
    """The rows of a file of predictions, with the rivals named by a column where the file is alone."""
    import polars as pl

    table = read_table(path)
    columns = choose_columns(table, chosen["confidence"], chosen["correct"], chosen["cluster"])
    item = _usual(table, "id", chosen["item"], IDS)
    side = _usual(table, "across", across, SIDES) if alone else None
    table = typed(where(table, conditions), columns, scale, str(path))
    text = table.select(pl.col(item).cast(pl.String).alias("question"))
    if text["question"].null_count():
        raise DataError(f"{path}: a row has no {item}", hint="every row needs the name of its question")
    return table.select(
        question=pl.col(item).cast(pl.String),
        cluster=pl.col(columns.cluster or item).cast(pl.String),
        about=pl.lit("reply"),
        group=pl.lit(""),
        rival=pl.col(side).cast(pl.String).fill_null("") if side else pl.lit(""),
        confidence=columns.confidence,
        correct=columns.correct,
        answered=columns.correct,
        scale=pl.lit(scale.value),
    )


def _sorted_by_kind(table: pl.DataFrame, estimator: str) -> pl.DataFrame:
    """Numbers of an estimator that ever speaks of its own answer are about own answers, also where it has none."""
    import polars as pl

    own = (pl.col("about") == "own").any().over(estimator)
    return table.with_columns(about=pl.when(own).then(pl.lit("own")).otherwise(pl.lit("reply")))


def _checked(table: pl.DataFrame, names: list[str], models: bool, paths: Sequence[Path]) -> Rivals:
    """Refuse doubled rows; keep, of models, the questions that all have."""
    import polars as pl

    doubled = table.filter(table.select("question", "rival", "group").is_duplicated())
    if doubled.height:
        first = doubled.row(0, named=True)
        files, whose = ", ".join(map(str, paths)), first["rival"] or "one file"
        raise DataError(
            f"{files}: question {first['question']!r} has two rows of {whose}",
            hint="--id names a column that tells rows apart; --cluster keeps rows of one question together",
        )
    if len(names) < 2:
        raise UsageError(f"only {', '.join(names) or 'nothing'} to compare", hint="give two, or another --across")
    if not models:
        return Rivals(table, names, models)
    asked = {name: set(table.filter(pl.col("rival") == name)["question"]) for name in names}
    shared = set.intersection(*asked.values())
    if not shared:
        raise UsageError("the rivals share no question", hint="compare runs of the same bank, with the same --limit")
    left = {name: len(questions - shared) for name, questions in asked.items() if questions - shared}
    return Rivals(table.filter(pl.col("question").is_in(sorted(shared))), names, models, left)


def _run_names(paths: Iterable[Path]) -> list[str]:
    """The models' names, or the folders' where two are the same."""
    from doxa.runs import Run

    paths = list(paths)
    models = [str(Run.open(path).info["model"]["name"]) for path in paths]
    return models if len(set(models)) == len(models) else [path.resolve().name for path in paths]


def _usual(table: pl.DataFrame, option: str, name: str | None, usual: Sequence[str]) -> str:
    """The column given for an option, or the usual one."""
    if name is not None:
        return existing(table, name)
    for candidate in usual:
        if candidate in table.columns:
            return existing(table, candidate)
    raise UsageError(f"no column is named {' or '.join(usual)}", hint=f"give --{option} the name of a column")


def as_dict(rivals: Rivals, contests: Sequence[Contest]) -> dict[str, Any]:
    """What `--json` prints."""
    from dataclasses import asdict

    tables = [
        {
            **{name: getattr(made, name) for name in ("metric", "about", "reference", "picked", "among")},
            "rows": [
                asdict(entry.difference)
                | {"name": entry.name, "group": entry.group, "holm": entry.holm}
                | {"detectable": entry.difference.detectable, "gained": entry.gained, "lost": entry.lost}
                for entry in made.entries
            ],
        }
        for made in contests
    ]
    questions = {"compared": rivals.questions, "left_out": rivals.left_out}
    return {"schema": "doxa.compare/1", "rivals": rivals.names, "questions": questions, "tables": tables}
