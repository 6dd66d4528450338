"""What all reports say alike: the facts of its first lines, the frontier, the risk line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from doxa.report.numbers import count, duration, percent, plural

Json = Mapping[str, Any]

CORNERS = ("knows", "says", "does", "world")
EDGES = ("knows-says", "knows-does", "says-does", "knows-world", "says-world", "does-world")
_BELIEF = "self_consistency"
NAMES = {
    "rank": "rank agreement ρ",
    "gap": "mean absolute gap",
    "rational": "rational share",
    "auroc": "AUROC",
    "ece": "ECE",
    "accuracy": "accuracy",
    "mean_confidence": "mean confidence",
    "overconfidence": "overconfidence",
    "brier_loss": "Brier",
    "log_loss": "log loss",
    "adaptive_ece": "adaptive ECE",
    "mce": "MCE",
    "smooth_ece": "smooth ECE",
    "auprc": "AUPRC",
    "auprc_error": "AUPRC of errors",
    "aurc": "AURC",
    "excess_aurc": "excess AURC",
    "selective_auc": "selective AUC",
    "prr": "PRR",
    "accuracy_at_coverage": "accuracy at coverage",
    "coverage_at_risk": "coverage at risk",
}


def subject(run: Json) -> list[str]:
    """Who was asked what: model, questions, banks, estimators."""
    banks = run["questions"].get("banks") or {}
    parts = [run["model"]["name"], plural(run["questions"]["n"], "question")]
    parts += [plural(len(banks), "bank")] if banks else []
    return [*parts, plural(len(run["estimators"]), "estimator")]


def bill(run: Json) -> list[str]:
    """What it took: calls and tokens of all sessions; time and money of the last one."""
    paid = run.get("paid") or run
    last = " in the last session" if paid["calls"] > run["calls"] else ""
    parts = [duration(run["seconds"]) + last, plural(paid["calls"], "call")]
    tokens = total_tokens(paid)
    parts += [] if tokens is None else [f"{count(tokens)} tokens"]
    return parts + ([] if run.get("cost") is None else [f"{run['cost']:,.2f} USD"])


def total_tokens(usage: Json) -> int | None:
    """Tokens read and written, or `None` if the server did not say."""
    tokens_in, tokens_out = usage["tokens_in"], usage["tokens_out"]
    return None if tokens_in is None or tokens_out is None else int(tokens_in + tokens_out)


def losses(run: Json, metrics: Json) -> list[str]:
    """What is missing from the numbers: an incomplete run, a limit, ungraded replies, failed calls, estimators."""
    verdicts = metrics["verdicts"]
    status = "failed" if run["status"] == "failed" else f"is {run['status']}"
    parts = [] if run["status"] == "complete" else [f"the run {status}: these are the numbers so far"]
    if run["questions"].get("limit") is not None:
        parts.append(f"limited to {plural(run['questions']['limit'], 'question')}")
    if verdicts["ungraded"]:
        parts.append(f"{plural(verdicts['ungraded'], 'reply').replace('replys', 'replies')} could not be graded")
    if verdicts["errors"]:
        parts.append(f"{plural(verdicts['errors'], 'question')} without a reply")
    if run["errors"]:
        kinds = ", ".join(f"{kind} {count(n)}" for kind, n in run["errors"].items())
        parts.append(f"{plural(sum(run['errors'].values()), 'failed call')}: {kinds}")
    return parts + few(run) + left_out(run)


def rests_on(row: Json) -> str:
    """What an estimator's numbers rest on where that can differ, and how often where it did; "" where it cannot."""
    found = row.get("provenance") or {}
    return ", ".join(found if len(found) < 2 else (f"{name} {count(n)}" for name, n in found.items()))


def asked(row: Json) -> int:
    """The number of questions an estimator was tried on."""
    return max(1, int(row["n"] + row["missing"] + row["errors"]))


def few(run: Json) -> list[str]:
    """The dear estimators and how few questions they were tried on: others' numbers are about other questions."""
    names: dict[int, list[str]] = {}
    for name, n in (run.get("few") or {}).items():
        names.setdefault(n, []).append(name)
    return [f"tried on {plural(n, 'question')} alone, being dear: {', '.join(each)}" for n, each in names.items()]


def services(run: Json) -> str:
    """What judged and embedded, in words; "" for a run without services."""
    parts = [f"{use} by {name}" for use, name in (run.get("services") or {}).items()]
    return ", ".join([*parts, *([f"the judge is {run['judge']}"] if run.get("judge") else [])])


def left_out(run: Json) -> list[str]:
    """The estimators that were considered and are not in the run, by reason."""
    names: dict[str, list[str]] = {}
    for name, reason in (run.get("left_out") or {}).items():
        names.setdefault(reason, []).append(name)
    return [f"left out, {reason}: {', '.join(each)}" for reason, each in names.items()]


CHANGES = {
    "answers": "What the methods' own answers change",
    "shifts": "How much surer of right and of wrong answers, afterwards minus before",
    "kept": "Share right of the replies that were kept and of those that were changed",
}
"""The tables of the section `changes` and what each shows."""


def changed(metrics: Json) -> dict[str, list[Json]]:
    """The tables of the section `changes` that have rows; runs of before there was one have none."""
    return _filled(metrics, "changes", CHANGES)


THINKING = {
    "budgets": "What thinking buys: answering only from a confidence on, at each budget of thinking",
    "early": "How often an answer changes when its reasoning is cut",
    "between": "What a vote of more chains changes",
}
"""The tables of the section `thinking` and what each shows."""


def thought(metrics: Json) -> dict[str, list[Json]]:
    """The tables of the section `thinking` that have rows; runs of before there was one have none."""
    return _filled(metrics, "thinking", THINKING)


def _filled(metrics: Json, section: str, tables: Mapping[str, str]) -> dict[str, list[Json]]:
    found = metrics.get(section) or {}
    return {key: found[key] for key in tables if found.get(key)}


def about(metrics: Json, whose: str) -> list[Json]:
    """The estimators about the reply under judgement (`reply`) or about the method's own answer (`own`)."""
    return [row for row in metrics["estimators"] if row["about"] == whose]


def frontier(rows: Sequence[Json]) -> set[str]:
    """Names of the estimators that no other one beats in AUROC at the same or lower cost in calls per question."""
    costs = [(row["raw"]["auroc"]["value"], row["usage"]["calls"] / asked(row), row["name"]) for row in rows]
    known = [point for point in costs if point[0] is not None]
    return {name for value, calls, name in known if not any(_beats(other, (value, calls)) for other in known)}


def _beats(other: tuple[float, float, str], point: tuple[float, float]) -> bool:
    value, calls, _ = other
    return value >= point[0] and calls <= point[1] and (value, calls) != point


def refuser(metrics: Json) -> Json | None:
    """The estimator whose refusals are shown: belief if it was run, else the best ranked one with a curve.

    Belief is chosen before anything is measured, so that no choice among many flatters its bound.
    """
    rows = [row for row in about(metrics, "reply") if row["risk_coverage"]["coverage"]]
    bound = [row for row in rows if row["selective"]]
    agreement = metrics.get("agreement")
    belief = agreement["corners"]["knows"]["estimator"] if agreement else _BELIEF
    return next(iter([*(row for row in bound if row["name"] == belief), *bound, *rows]), None)


def risk_line(metrics: Json) -> str:
    """What refusing buys, in one sentence; empty where no threshold was found."""
    row = refuser(metrics)
    if row is None or row["selective"] is None:
        return ""
    s = row["selective"]
    bound = f"at most {percent(s['upper'])}, 95 %"
    least = f"the least sure {percent(1 - s['coverage'])} by {row['name']}"
    return f"Refusing {least} would leave {percent(s['risk'])} errors ({bound})."


def faithful_lines(metrics: Json) -> list[str]:
    """How far its words are from its samples, one sentence a pair; runs of before there were pairs have none."""
    return [_faithful(row) for row in metrics.get("faithfulness") or [] if row["n"]]


def _faithful(row: Json) -> str:
    mean, level = row["mfg"], row["cmfg"]
    known = mean["low"] is not None
    ends = f"95 %: {percent(1 - mean['high'])} to {percent(1 - mean['low'])}, " if known else ""
    return (
        f"How sure it sounds ({row['sounds']}) is off how consistently it answers by {percent(1 - mean['value'])}"
        f" on average ({ends}n = {row['n']}), by {percent(1 - level['value'])} where all levels weigh the same."
    )


def sentences(metrics: Json) -> list[str]:
    """The generated sentences, one of them about refusing."""
    said, line = [*metrics["sentences"], *faithful_lines(metrics)], risk_line(metrics)
    return said if not line or any(text.startswith("Refusing") for text in said) else [*said, line]
