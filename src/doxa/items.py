"""Records → the items table: one row per question and estimator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from doxa.types import Failure, Record

if TYPE_CHECKING:
    import polars as pl


def frame(records: Sequence[Record]) -> pl.DataFrame:
    """Records → the items table: one row per question and estimator."""
    import polars as pl

    tags = sorted({tag for record in records for tag in record.question.tags})
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
