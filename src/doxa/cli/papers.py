"""The published systems that doxa's members implement."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from typing import Any

from doxa import registry
from doxa.text import hedges

_COMMANDS = {
    "estimators": "doxa run {example} --model {model} --estimators {name}",
    "calibrators": "doxa calibrate {example} --method {name} --out calibrator.json",
    "policies": "doxa calibrate log.csv --policy {name} --out bundle.json",
    "metrics": "doxa score {example} --metrics {name}",
    "questions": "doxa run bank:{name} --model {model}",
    "training": "doxa train {name} {example} --model {model} --out data.jsonl",
}

_EXAMPLES = {"metrics": "log.csv", "calibrators": "log.csv"}
"""What is asked, or read, where a member does not say and it is not the capitals."""
_CONFIDENCES = {"confidence": "a number", "correct": "true or false"}
"""What a log holds where a member does not say."""
_COVERAGES = ("proxy", "partial", "full")


def papers() -> list[dict[str, Any]]:
    """One row per published system: who implements it and how much of it, a command that runs it, and its tests.

    A member names the systems it implements in `implements`; `coverage` is "full", or "partial: " and what is missing,
    or "proxy: " and what stands in for what. A member that does not say is partial; a system is covered as well as the
    best of its members. `example` says what to ask where the capitals are no example, `spelled` what to name where that
    is more than the member's name, `model` whom to ask where the embedded model is too small to say anything, and
    `command` is that of a member which those of its room do not run. Where a command reads a log, `reads` of the member
    says what its columns hold.
    """
    rows: dict[str, dict[str, Any]] = {}
    for place, whole, command, tests in _members():
        member = facts(whole)
        for system in getattr(member, "implements", ()):
            row = rows.setdefault(system, _row(system))
            coverage = getattr(member, "coverage", "partial")
            row["coverage"] = max(row["coverage"], coverage.partition(":")[0], key=_COVERAGES.index)
            spelled = getattr(member, "spelled", place.partition("/")[2])
            usual = _EXAMPLES.get(place.partition("/")[0], "bank:capitals")
            example, model = getattr(member, "example", usual), getattr(member, "model", "smollm2")
            command = getattr(member, "command", command)
            row["commands"].append(command.format(name=shlex.quote(spelled), example=example, model=model))
            reads = getattr(member, "reads", _CONFIDENCES) if " log." in row["commands"][-1] else {}
            row["members"].append({"name": place, "coverage": coverage, "reads": dict(reads)})
            row["tests"] = sorted({*row["tests"], tests})
            row["about"] = "; ".join(f"{each['name']} ({each['coverage']})" for each in row["members"])
    return [rows[system] for system in sorted(rows)]


def _members() -> Iterator[tuple[str, Any, str, str]]:
    """Where each member is, itself, its command and its tests: those of rooms, and what is no member of a room."""
    for room, command in _COMMANDS.items():
        for name in registry.names(room):
            yield f"{room}/{name}", registry.find(room, name), command, f"tests/{room}"
    yield "text/hedges", hedges, 'doxa ask "Who wrote Hamlet?" --hedge first_person', "tests/test_text_hedges.py"


def facts(member: Any) -> Any:
    """Where a member says what it implements: a class itself, a metric in the constant beside it."""
    module = sys.modules.get(getattr(member, "__module__", ""))
    return getattr(module, "FORM", None) or getattr(module, "RULE", None) or member


def _row(system: str) -> dict[str, Any]:
    return {"name": system, "about": "", "coverage": _COVERAGES[0], "members": [], "commands": [], "tests": []}
