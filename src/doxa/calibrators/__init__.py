"""Raw confidence and outcomes to probability: `Isotonic().fit(confidence=p, correct=y).predict(confidence=q)`."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Load a calibrator by its class name on first use."""
    from doxa import registry

    for member in registry.names("calibrators"):
        if member.replace("_", "") == name.lower() and not name.islower():
            return registry.find("calibrators", member)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
