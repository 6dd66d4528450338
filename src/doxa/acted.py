"""What acting changes: the decisions of a run carried out, graded, and measured by act."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa import flow, runs
from doxa.acting import PASSAGES, STRONGER, Acted
from doxa.errors import Incomplete, UsageError
from doxa.inquiry import Budget, Caller, Inquiry
from doxa.items import frame
from doxa.journal import Journal
from doxa.many import for_all
from doxa.services import close_services, open_services
from doxa.types import Decision, Failure, Model, Question, Record, Scale, Usage, Verdict

if TYPE_CHECKING:
    import polars as pl

    from doxa.flow import Plan
    from doxa.prices import Price
    from doxa.types import Measurement, Policy

    Row = dict[str, Any]

SCHEMA = "doxa.acts/1"


@dataclass(frozen=True, slots=True)
class Mandate:
    """Who decides on what, and what there is to act with."""

    estimator: str
    """Label of the estimator that is decided on; "" for one that the model allows."""
    policy: Policy
    spelled: str
    learn: bool = False
    """Whether the policy is fitted: for each fold of questions on the others."""
    calibrator: Any = None
    """Makes probabilities of the confidences; without one they are cross-fitted on the run itself."""
    retriever: Any = None
    stronger: Model | None = None
    passages: int = PASSAGES


async def act_on(
    model: Model,
    plan: Plan,
    mandate: Mandate,
    *,
    out: Path,
    budget: Budget,
    prices: Mapping[str, Price | None],
    fresh: bool = False,
    notes: Mapping[str, Any] | None = None,
    progress: runs.Progress | None = None,
) -> dict[str, Any]:
    """Make the run of `plan` in `out`, or resume it; then decide, act, grade and measure. What `acts.json` holds.

    `budget` is for both; beside the files of the run there is one row a question in `acts.parquet`. Raises `Incomplete`
    where calls that may succeed later are missing, `UsageError` where the estimator gave no number at all.
    """
    run = await flow.assay(
        model, plan, out=out, budget=budget, prices=prices, fresh=fresh, notes=notes, progress=progress
    )
    if run.info["status"] != "complete":
        raise Incomplete(f"the run in {out} is incomplete", hint="the same command again goes on")
    models = {"subject": model, "judge": plan.judge, STRONGER: mandate.stronger}
    left = None if budget.max_calls is None else budget.max_calls - budget.calls
    rest, started = Budget(left, budget.max_cost, cost=budget.cost), time.monotonic()
    with runs.claimed(out, run.info["id"], fresh=False):
        journal = Journal(out)
        callers = {
            role: Caller(asked, journal, budget=rest, price=prices.get(role))
            for role, asked in models.items()
            if asked is not None
        }
        services = open_services(plan.services, journal)
        try:
            told = await flow.tell_all(plan, callers, services)  # all of it is in the journal
            decisions, source = decided(told, mandate, plan.asking.seed)
            rows = await carry_out(
                told,
                decisions,
                mandate,
                lambda each: flow.ask(each, plan, callers, replace(services, retriever=mandate.retriever)),
                callers,
                progress,
            )
        finally:
            close_services(services)
            await flow.drain(callers)
            journal.close()
        spent = sum((caller.spent for caller in callers.values()), Usage())
        content = {
            "schema": SCHEMA,
            "run": run.info["id"],
            **_described(mandate, source),
            **measured(rows, seed=plan.asking.seed),
            "spent": {**asdict(spent), "seconds": round(time.monotonic() - started, 1)},
            "status": "incomplete" if any(caller.unfinished for caller in callers.values()) else "complete",
        }
        runs.write_parquet(out / runs.ACTS, table(rows))
        runs.write_json(out / runs.ACTS_MEASURED, content)
    return content


def _described(mandate: Mandate, source: str) -> dict[str, Any]:
    documents, stronger = mandate.retriever, mandate.stronger
    return {
        "estimator": mandate.estimator,
        "probability": source,
        "policy": mandate.spelled,
        "learnt": "on the other folds" if mandate.learn else "before, or not at all",
        "documents": documents and documents.fingerprint,
        "passages": mandate.passages,
        "stronger": stronger and stronger.name,
    }


# -- deciding ----------------------------------------------------------------------------------------------------------


CALIBRATED, HERE, RAW, NONE = (
    "of the bundle's calibrator",
    "calibrated on the other folds of this run",
    "the confidence itself: too few graded answers, or all right or all wrong, to calibrate on",
    "none: too few graded answers, or all right or all wrong, to calibrate on",
)
"""Where the probability of being right may come from."""


def decided(records: Sequence[Record], mandate: Mandate, seed: int = 0) -> tuple[list[Decision], str]:
    """The decision on every record, and where the probabilities come from.

    Raises `UsageError` where there is no number to decide on.
    """
    confidences = [record.confidences[mandate.estimator] for record in records]
    if all(each.value is None for each in confidences):
        reason = next((each.reason for each in confidences), "there are no questions")
        raise UsageError(f"{mandate.estimator} gave no confidence: {reason}", hint="see the reason, or name another")
    probabilities, source = _probabilities(records, mandate, seed)
    policies = _learnt(records, mandate, seed) if mandate.learn else [mandate.policy] * len(records)
    return [flow.decide(*each) for each in zip(policies, confidences, probabilities, strict=True)], source


def _probabilities(records: Sequence[Record], mandate: Mandate, seed: int) -> tuple[list[float | None], str]:
    """The probability of being right of every record, calibrated where that can be, and where it comes from.

    Without a calibrator and with too little to fit one on, a confidence on [0, 1] stands for it.
    """
    import numpy as np
    import polars as pl

    if mandate.calibrator is None:
        items = flow.calibrate(frame(records), seed=seed).filter(pl.col("estimator") == mandate.estimator)
        found = dict(items.select("question", "probability").iter_rows())
        if any(each is not None for each in found.values()):
            return [found[record.question.id] for record in records], HERE
        confidences = [record.confidences[mandate.estimator] for record in records]
        unit = all(each.value is None or each.scale is Scale.UNIT for each in confidences)
        return [each.value if unit else None for each in confidences], RAW if unit else NONE
    values = [record.confidences[mandate.estimator].value for record in records]
    given = np.array([value for value in values if value is not None], dtype=float)
    made = iter(mandate.calibrator.predict(confidence=given).tolist())
    return [None if value is None else next(made) for value in values], CALIBRATED


def _learnt(records: Sequence[Record], mandate: Mandate, seed: int) -> list[Policy]:
    """For every record the policy fitted on the graded records of the other folds."""
    import numpy as np

    from doxa.calibrators.maths.folds import fold_of

    folds = fold_of([record.question.cluster for record in records], seed=seed).tolist()
    takes_details = "details" in inspect.signature(mandate.policy.fit).parameters
    fitted: dict[int, Policy] = {}
    for fold in sorted(set(folds)):
        known = [
            record
            for record, home in zip(records, folds, strict=True)
            if home != fold
            and record.confidences[mandate.estimator].value is not None
            and _verdict(record, mandate.estimator).correct is not None
        ]
        confidences = [record.confidences[mandate.estimator] for record in known]
        further = {"details": [each.details for each in confidences]} if takes_details else {}
        fitted[fold] = mandate.policy.fit(
            confidence=np.array([each.value for each in confidences], dtype=float),
            correct=np.array([_verdict(record, mandate.estimator).correct for record in known], dtype=float),
            cluster=[record.question.cluster for record in known],
            **further,
        )
    return [fitted[fold] for fold in folds]


def _verdict(record: Record, label: str) -> Verdict:
    """The verdict on what the confidence is about."""
    return record.own_verdicts.get(label, record.verdict)


# -- doing -------------------------------------------------------------------------------------------------------------


async def carry_out(
    records: Sequence[Record],
    decisions: Sequence[Decision],
    mandate: Mandate,
    inquire: Callable[[Question], Inquiry],
    callers: Mapping[str, Caller],
    progress: runs.Progress | None = None,
) -> list[Row]:
    """Each decision carried out and graded: one row a question, in their order."""
    told = {record.question.id: (record, made) for record, made in zip(records, decisions, strict=True)}

    async def one(question: Question) -> Row:
        record, decision = told[question.id]
        own = record.confidences[mandate.estimator].answer
        acted = await flow.act(decision, inquire(question), own=own, passages=mandate.passages)
        verdict = await flow.grade(question, acted.reply) if acted.reply else Verdict(None, reason=acted.reason)
        return _row(record, mandate.estimator, acted, verdict)

    return await for_all([record.question for record in records], one, callers, progress=progress)


def _row(record: Record, label: str, acted: Acted, verdict: Verdict) -> Row:
    confidence, reply = record.confidences[label], record.reply
    first = confidence.answer if confidence.answer is not None else None if isinstance(reply, Failure) else reply.text
    return {
        "question": record.question.id,
        "cluster": record.question.cluster,
        "act": acted.decision.act,
        "confidence": confidence.value,
        "decision": acted.decision.reason,
        "before": first,
        "before_correct": _verdict(record, label).correct,
        "after": acted.reply and acted.reply.text,
        "after_correct": verdict.correct,
        "reason": acted.reason or verdict.reason,
        "error": acted.error,
        "queries": json.dumps(acted.queries, ensure_ascii=False),
        "sources": json.dumps([f"{p.source}:{p.first}-{p.last}" for p in acted.passages], ensure_ascii=False),
        "passages": len(acted.passages),
        **asdict(acted.usage),
        "estimate_calls": record.usage[label].calls,
    }


def table(rows: Sequence[Row]) -> pl.DataFrame:
    """The rows as `acts.parquet` has them."""
    import polars as pl

    numbers = {"confidence": pl.Float64, "before_correct": pl.Boolean, "after_correct": pl.Boolean}
    whole = ("passages", "calls", "tokens_in", "tokens_out", "estimate_calls")
    types: dict[str, Any] = numbers | dict.fromkeys(whole, pl.Int64)
    return pl.DataFrame(list(rows), schema={name: types.get(name, pl.String) for name in rows[0]})


# -- measuring ---------------------------------------------------------------------------------------------------------


def measured(rows: Sequence[Row], *, seed: int = 0) -> dict[str, Any]:
    """Per act and of all: how many, right before and after, the paired difference, and what it cost a question."""
    by_act: dict[str, list[Row]] = {}
    for row in rows:
        by_act.setdefault(row["act"], []).append(row)
    return {"acts": [_measured(act, by_act[act], seed) for act in sorted(by_act)], "all": _measured("all", rows, seed)}


def _measured(act: str, rows: Sequence[Row], seed: int) -> Row:
    """One line. `before` is about all graded answers, `after` about those given, `withheld` about the others.

    The paired values are about what was graded both times.
    """
    graded = [row for row in rows if row["before_correct"] is not None]
    final = [row for row in rows if row["after_correct"] is not None]
    costs = {
        name: None if any(row[name] is None for row in rows) else sum(row[name] for row in rows) / len(rows)
        for name in ("passages", "calls", "tokens_in", "tokens_out", "estimate_calls")
    }
    reasons = [row["reason"] for row in rows if row["after"] is None]
    return {
        "act": act,
        "n": len(rows),
        "given": sum(row["after"] is not None for row in rows),
        "errors": sum(row["error"] != "" for row in rows),
        "before": _share("before", graded, "before_correct", seed),
        "after": _share("after", final, "after_correct", seed),
        "withheld": _share("withheld", [row for row in graded if row["after"] is None], "before_correct", seed),
        **_paired([row for row in graded if row["after_correct"] is not None], seed),
        "not_done": {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)},
        "per_question": costs,
    }


def _share(name: str, rows: Sequence[Row], key: str, seed: int) -> Row | None:
    """The share that is right, with its interval."""
    from doxa.metrics import measure

    if not rows:
        return None
    (found,) = measure(
        confidence=[1.0] * len(rows),
        correct=[row[key] for row in rows],
        cluster=[row["cluster"] for row in rows],
        metrics=["accuracy"],
        seed=seed,
    )
    return asdict(replace(found, name=name))


def _paired(rows: Sequence[Row], seed: int) -> dict[str, Row | None]:
    """Right after minus right before on the same questions, and McNemar's test of it."""
    from doxa.metrics.maths.verdicts import compare_verdicts

    if not rows:
        return {"difference": None, "mcnemar": None}
    before, after = ([bool(row[key]) for row in rows] for key in ("before_correct", "after_correct"))
    found = compare_verdicts(before, after, cluster=[row["cluster"] for row in rows], seed=seed)
    pair: dict[str, Measurement] = {"difference": found.difference, "mcnemar": found.mcnemar}
    return {name: asdict(each) for name, each in pair.items()}
