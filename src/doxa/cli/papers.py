"""The published systems that doxa's members implement."""

from __future__ import annotations

from typing import Any

from doxa import registry

_COMMANDS = {
    "estimators": "doxa run bank:capitals --model smollm2 --estimators {name}",
    "calibrators": "doxa calibrate log.csv --method {name} --out calibrator.json",
    "metrics": "doxa score log.csv --metrics {name}",
    "questions": "doxa run bank:{name} --model smollm2",
}


def papers() -> list[dict[str, Any]]:
    """One row per published system: who implements it, a command that runs it, its test, and the coverage.

    A member names the systems it implements in `implements`; `coverage` is "full", or "partial: " and what is missing.
    """
    rows: dict[str, dict[str, Any]] = {}
    for room, command in _COMMANDS.items():
        for name in registry.names(room):
            member = registry.find(room, name)
            for system in getattr(member, "implements", ()):
                row = rows.setdefault(system, {"name": system, "about": "", "members": [], "commands": [], "tests": []})
                row["members"].append(f"{room}/{name}")
                row["commands"].append(command.format(name=name))
                row["tests"].append(f"tests/{room}/test_{name}.py")
                row["coverage"] = getattr(member, "coverage", "full")
                row["about"] = f"{', '.join(row['members'])} ({row['coverage']})"
    return [rows[system] for system in sorted(rows)]
