"""What calibrators and policies see of a file or of a run: confidences, groups and outcomes, one row per answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from doxa.errors import DataError, UsageError
from doxa.types import Scale

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Names:
    """Which columns are meant; what is not named has its usual name, or is not there."""

    confidence: tuple[str, ...] = ()
    correct: str | None = None
    cluster: str | None = None
    by: tuple[str, ...] = ()
    scales: tuple[Scale, ...] = ()
    """One for each confidence, or one for all of them; a run knows its own."""
    estimators: tuple[str, ...] = ()
    """Of a run."""
    percent: tuple[bool, ...] = ()
    """Which of them a file has as percentages, their scale being `UNIT`; as many as scales."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A table whose confidences are numbers or null, and whose outcomes are truth values or null."""

    table: pl.DataFrame
    names: Names
    """All of them as they are in the table, with a scale for each confidence."""
    source: pl.DataFrame
    """The table as it was read."""

    @property
    def real(self) -> bool:
        """Whether some confidence is no number in [0, 1]."""
        return Scale.REAL in self.names.scales

    def given(self) -> pl.Series:
        """Which answers have a confidence, one at least."""
        import polars as pl

        return self.table.select(pl.any_horizontal(pl.col(self.names.confidence).is_not_null())).to_series()

    def graded(self) -> Evidence:
        """The answers that have a confidence and an outcome."""
        rows = self.given() & self.table[self.names.correct or ""].is_not_null()
        if not rows.any():
            raise DataError("no answer has both a confidence and an outcome", hint="name the right columns")
        return self.only(rows)

    def ungraded(self) -> int:
        """How many rows lack a confidence or an outcome."""
        return self.table.height - self.graded().table.height

    def only(self, rows: pl.Series) -> Evidence:
        """Some of the answers."""
        return Evidence(self.table.filter(rows), self.names, self.source.filter(rows))

    def confidence(self) -> NDArray[Any]:
        """Confidences as calibrators take them: (n,), or (n, k) with `None` where one is missing."""
        import numpy as np

        columns = [self.table[name] for name in self.names.confidence]
        if len(columns) == 1:
            return columns[0].to_numpy()
        return np.array([column.to_list() for column in columns], dtype=object).T

    def groups(self) -> dict[str, Any]:
        """The argument `by` of calibrators, if there are groups: one column's labels, or those of several."""
        import numpy as np
        import polars as pl

        labels = [self.table[name].cast(pl.String).to_list() for name in self.names.by]
        if not labels:
            return {}
        return {"by": np.array(labels[0] if len(labels) == 1 else labels, dtype=object).T}

    def clusters(self) -> NDArray[Any] | None:
        """The cluster of each answer, if they have any."""
        return None if self.names.cluster is None else self.table[self.names.cluster].cast(str).to_numpy()

    def outcomes(self) -> NDArray[Any]:
        """Whether each answer was right."""
        return self.table[self.names.correct or ""].to_numpy()


def open_evidence(
    path: Path, names: Names, conditions: Sequence[str] = (), *, graded: bool = True, usual: str | None = None
) -> Evidence:
    """Read and check a file (of Parquet also a folder or a pattern of files), or a run's directory.

    Where it need not be `graded`, outcomes are read only from a column that is named or is called as `usual`. Raises
    `UsageError` for columns, values or estimators that do not exist, `DataError` for a bad cell.
    """
    from doxa.scoring import Columns, choose_columns, is_run, numbers_of, read_rows, typed, where

    source = where(read_rows(path), conditions)
    if is_run(path):
        source, names = of_run(source, names)
    correct, first = names.correct, (*names.confidence, None)[0]
    if correct is None:
        there = usual if usual in source.columns else None
        correct = choose_columns(source, first).correct if graded else there
    confidence = names.confidence or (choose_columns(source, None, correct).confidence,)
    scales = scales_of(confidence, names.scales)
    percent = scales_of(confidence, names.percent or (False,))
    named = {"confidence": confidence, "by": names.by, "cluster": (names.cluster,), "correct": (correct,)}
    for option, wanted in named.items():
        refuse_absent(source, option, [column for column in wanted if column is not None])
    table = source
    if correct is not None:
        table = typed(source, Columns(confidence[0], correct, names.cluster), scales[0], str(path), percent[0])
    table = table.with_columns(
        numbers_of(source, column, scale, str(path), hundredths)
        for column, scale, hundredths in zip(confidence, scales, percent, strict=True)
    )
    found = Names(confidence, correct, names.cluster, names.by, scales, names.estimators, percent)
    return Evidence(table, found, source)


def refuse_absent(table: pl.DataFrame, option: str, columns: Sequence[str]) -> None:
    """Raise `UsageError` for a column that is not there, or that holds lists."""
    from doxa.scoring import LINE, existing

    for column in columns:
        if columns.count(column) > 1:
            raise UsageError(f"--{option} names {column!r} twice", hint="name each column once")
        if column not in table.columns:
            there = ", ".join(name for name in table.columns if name != LINE)
            raise UsageError(f"there is no column {column!r}", hint=f"name another with --{option}; there are: {there}")
        existing(table, column)


def scales_of(confidence: Sequence[str], scales: Sequence[T]) -> tuple[T, ...]:
    """A scale for each confidence. Raises `UsageError` where their numbers do not fit."""
    if len(scales) not in (1, len(confidence)):
        raise UsageError(
            f"{len(scales)} scales for {len(confidence)} confidences",
            hint="give --scale once for all, or once for each --confidence in the same order",
        )
    return tuple(scales) * (len(confidence) // len(scales))


def of_run(table: pl.DataFrame, names: Names) -> tuple[pl.DataFrame, Names]:
    """One row per question of a run, and the names of its columns; each of several estimators is a column."""
    import polars as pl

    from doxa.scoring import LINE

    known = table["estimator"].unique(maintain_order=True).to_list()
    if not names.estimators:
        raise UsageError("a run has several estimators", hint=f"name one with --estimator: {', '.join(known)}")
    for wanted in names.estimators:
        if names.estimators.count(wanted) > 1:
            raise UsageError(f"--estimator names {wanted!r} twice", hint="name each estimator once")
        if wanted not in known:
            raise UsageError(f"no row has estimator = {wanted}", hint=f"there are: {', '.join(known)}")
    table = table.filter(pl.col("estimator").is_in(names.estimators))
    scale = dict(table.select("estimator", "scale").iter_rows())
    scales = tuple(Scale(scale[wanted]) for wanted in names.estimators)
    tags = [name for name in table.columns if name.startswith("tag.")]
    shared = [name for name in ("question", "cluster", "kind", "reply", "correct", *tags) if name in table.columns]
    if len(names.estimators) > 1:
        table, confidence = beside_each_other(table, shared), names.estimators
    else:
        table, confidence = table.select(*shared, "confidence", LINE), ("confidence",)
    cluster = names.cluster or "cluster"
    return table, Names(confidence, names.correct or "correct", cluster, names.by, scales, names.estimators)


def beside_each_other(table: pl.DataFrame, shared: Sequence[str]) -> pl.DataFrame:
    """One row per question with a column for each estimator. Raises `UsageError` for numbers about other answers."""
    import polars as pl

    from doxa.scoring import LINE

    own = table.filter(pl.col("about") == "own")["estimator"].unique().sort().to_list()
    if own:
        raise UsageError(
            f"{', '.join(own)}: about the method's own answer, which is right or wrong by itself",
            hint="put together estimators that are about the reply alone",
        )
    wide = table.pivot(on="estimator", index=shared, values="confidence", maintain_order=True)
    return wide.with_row_index(LINE, offset=1)
