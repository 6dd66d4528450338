"""The published systems that doxa's members implement."""

from __future__ import annotations

import shlex
from typing import Any

from doxa import registry

_COMMANDS = {
    "estimators": "doxa run {example} --model {model} --estimators {name}",
    "calibrators": "doxa calibrate log.csv --method {name} --out calibrator.json",
    "metrics": "doxa score log.csv --metrics {name}",
    "questions": "doxa run bank:{name} --model {model}",
    "training": "doxa train {name} {example} --model {model} --out data.jsonl",
}


def papers() -> list[dict[str, Any]]:
    """One row per published system: who implements it and how much of it, a command that runs it, and its tests.

    A member names the systems it implements in `implements`; `coverage` is "full", or "partial: " and what is missing.
    A member that does not say is partial; a system is covered in full where one of its members says so. `example` says
    what to ask where the capitals are no example, `spelled` what to name where that is more than the member's name, and
    `model` whom to ask where the embedded model is too small to say anything.
    """
    rows: dict[str, dict[str, Any]] = {}
    for room, command in _COMMANDS.items():
        for name in registry.names(room):
            member = registry.find(room, name)
            for system in getattr(member, "implements", ()):
                row = rows.setdefault(system, _row(system))
                coverage = getattr(member, "coverage", "partial")
                row["coverage"] = "full" if "full" in (row["coverage"], coverage.partition(":")[0]) else "partial"
                row["members"].append({"name": f"{room}/{name}", "coverage": coverage})
                spelled, example = getattr(member, "spelled", name), getattr(member, "example", "bank:capitals")
                model = getattr(member, "model", "smollm2")
                row["commands"].append(command.format(name=shlex.quote(spelled), example=example, model=model))
                row["tests"] = sorted({*row["tests"], f"tests/{room}"})
                row["about"] = "; ".join(f"{each['name']} ({each['coverage']})" for each in row["members"])
    return [rows[system] for system in sorted(rows)]


def _row(system: str) -> dict[str, Any]:
    return {"name": system, "about": "", "coverage": "partial", "members": [], "commands": [], "tests": []}
