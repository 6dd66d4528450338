"""Records → the items table: one row per question and estimator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa import runs
from doxa.types import Failure, Question, Record

if TYPE_CHECKING:
    import polars as pl

TEXTS = ("text", "accepted", "reply")
"""Columns that are read, not measured: they stay on disk when a run is large."""
PART = 2000
"""Records whose rows are held in memory."""


def frame(records: Sequence[Record]) -> pl.DataFrame:
    """Records → the items table: one row per question and estimator."""
    return _frame(records, tags_of(record.question for record in records))


def tags_of(questions: Iterable[Question]) -> list[str]:
    """The names of all tags of some questions, in order."""
    return sorted({tag for question in questions for tag in question.tags})


class Items:
    """The items table of a run while it is made: of a large run, all but the last rows wait in files of its folder."""

    def __init__(self, directory: Path, tags: Sequence[str]) -> None:
        """A table without rows; `tags` are the names of all tags that its questions will have."""
        self._directory, self._tags = directory, tags
        self._records: list[Record] = []
        self._parts: list[Path] = []

    def add(self, record: Record) -> None:
        """Take one record. Raises `Incomplete` when there is no room on disk."""
        self._records.append(record)
        if len(self._records) == PART:
            self._parts.append(self._directory / f".items-{len(self._parts):06}.part")
            runs.write_parquet(self._parts[-1], _frame(self._records, self._tags))
            self._records = []

    def measured(self) -> pl.DataFrame:
        """The table without its `TEXTS`, for calibration and measurement."""
        return self._whole().drop(*TEXTS).collect(engine="streaming")

    def texts(self, questions: Sequence[str]) -> pl.DataFrame:
        """The columns `question` and `TEXTS` of some questions, each once."""
        import polars as pl

        wanted = self._whole().filter(pl.col("question").is_in(list(questions)))
        return wanted.select("question", *TEXTS).collect(engine="streaming").unique("question", maintain_order=True)

    def save(self, path: Path, probability: pl.Series) -> None:
        """Write the whole table with its calibrated probabilities. Raises `Incomplete` when there is no room."""
        import polars as pl

        start, last = 0, _frame(self._records, self._tags)
        for part in self._parts:
            rows = pl.read_parquet(part)
            runs.write_parquet(part, rows.with_columns(probability.slice(start, rows.height)))
            start += rows.height
        last = last.with_columns(probability.slice(start))
        if not self._parts:
            return runs.write_parquet(path, last)
        final = self._directory / ".items-last.part"
        runs.write_parquet(final, last)
        parts = [*self._parts, final]
        runs.write_parquet(path, pl.scan_parquet(parts))
        for part in parts:
            part.unlink()
        return None

    def _whole(self) -> pl.LazyFrame:
        import polars as pl

        last = _frame(self._records, self._tags).lazy()
        return pl.concat([pl.scan_parquet(self._parts), last]) if self._parts else last


def _frame(records: Sequence[Record], tags: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    rows = [_row(record, label, tags) for record in records for label in record.confidences]
    schema: dict[str, Any] = {
        "question": pl.String, "cluster": pl.String, "kind": pl.String, "text": pl.String, "accepted": pl.String,
        **{f"tag.{tag}": pl.String for tag in tags},
        "reply": pl.String, "finish": pl.String, "reply_correct": pl.Boolean, "verdict_reason": pl.String,
        "estimator": pl.String, "confidence": pl.Float64, "scale": pl.String, "about": pl.String,
        "answer": pl.String, "correct": pl.Boolean, "reason": pl.String, "error": pl.String, "details": pl.String,
        "provenance": pl.String,
        "calls": pl.Int64, "tokens_in": pl.Int64, "tokens_out": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _row(record: Record, label: str, tags: Sequence[str]) -> dict[str, Any]:
    question, confidence, usage = record.question, record.confidences[label], record.usage[label]
    replied = not isinstance(record.reply, Failure)
    verdict = record.own_verdicts.get(label, record.verdict)
    return {
        "question": question.id,
        "cluster": question.cluster,
        "kind": question.kind,
        "text": question.text or question.messages[-1].content,
        "accepted": None if question.answers is None else json.dumps(question.answers, ensure_ascii=False),
        **{f"tag.{tag}": question.tags.get(tag) for tag in tags},
        "reply": record.reply.text if replied else None,  # type: ignore[union-attr]
        "finish": record.reply.finish if replied else f"failed: {record.reply.kind}",  # type: ignore[union-attr]
        "reply_correct": record.verdict.correct,
        "verdict_reason": verdict.reason,
        "estimator": label,
        "confidence": confidence.value,
        "scale": confidence.scale.value,
        "about": "reply" if confidence.answer is None else "own",
        "answer": confidence.answer,
        "correct": verdict.correct,
        "reason": confidence.reason,
        "error": record.errors.get(label, ""),
        "details": json.dumps(dict(confidence.details)) if confidence.details else None,
        "provenance": confidence.provenance or None,
        "calls": usage.calls,
        "tokens_in": usage.tokens_in,
        "tokens_out": usage.tokens_out,
    }
