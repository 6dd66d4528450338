"""Confidence to decision: `SelectiveRisk(risk=0.05).fit(confidence=p, correct=y).decide(Case(0.8))`.

A policy is pure: it says what to do, and `doxa.flow.act` does it.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Load a policy by its class name on first use."""
    from doxa import registry

    for member in registry.names("policies"):
        if member.replace("_", "") == name.lower() and not name.islower():
            return registry.find("policies", member)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
