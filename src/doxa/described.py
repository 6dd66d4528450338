"""What `run.json` says of a run: what was run, on what, and what it took."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from doxa import __version__, prompts, runs
from doxa.inquiry import Caller
from doxa.shelf import question_hash
from doxa.types import Model, Usage

if TYPE_CHECKING:
    from doxa.flow import Plan


def describe(run_id: str, model: Model, plan: Plan, notes: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json says of a run before it begins."""
    banks: dict[str, int] = {}
    for question in plan.questions:
        bank = question.tags.get("bank", "questions")
        banks[bank] = banks.get(bank, 0) + 1
    return {
        "schema": runs.SCHEMA,
        "id": run_id,
        "title": notes.get("title", run_id),
        "command": notes.get("command", ""),
        "model": {
            "spec": notes.get("model", model.name),
            "name": model.name,
            "fingerprint": model.fingerprint,
            "base_url": model.base_url,
        },
        "questions": {
            "spec": notes.get("questions", ""),
            "n": len(plan.questions),
            "sha256": question_hash(plan.questions),
            "banks": banks,
            "limit": notes.get("limit"),
        },
        "estimators": [{"name": label, "knobs": asdict(e)} for label, e in plan.estimators.items()],  # type: ignore[call-overload]
        "left_out": dict(plan.left_out),
        "few": {label: len(ids) for label, ids in plan.few.items()},
        "judge": plan.judge.name if plan.judge else None,
        "services": {use: service.name for use, service in plan.services.items()},
        "asking": {**asdict(plan.asking), "system": plan.system, "template": plan.template, "prompts": prompts.VERSION},
        "seed": plan.asking.seed,
        "options": notes.get("options", {}),
        "versions": {"doxa": __version__, "python": platform.python_version(), **_versions()},
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("numpy", "scipy", "polars", "torch", "transformers"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def spent(callers: Mapping[str, Caller], seconds: float) -> dict[str, Any]:
    """What a session of a run has taken."""
    total = sum((caller.spent for caller in callers.values()), Usage())
    errors: dict[str, int] = {}
    for caller in callers.values():
        for kind, number in caller.failures.items():
            errors[kind] = errors.get(kind, 0) + number
    return {
        "seconds": round(seconds, 1),
        "calls": total.calls,
        "calls_saved": sum(caller.saved for caller in callers.values()),
        "tokens_in": total.tokens_in,
        "tokens_out": total.tokens_out,
        "errors": errors,
    }
