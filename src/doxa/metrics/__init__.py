"""Arrays to numbers: `doxa.metrics.brier_loss(confidence=p, correct=y)`, and `measure` for many with intervals.

Metrics of other columns (refusals, options, two models) are functions of these; `measure_table` adds their intervals.

Every file `_name.py` of this folder holds one metric `name`; `maths` holds what they share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doxa.metrics.maths.comparing import compare as compare
    from doxa.metrics.maths.form import measure_table as measure_table
    from doxa.metrics.maths.measuring import measure as measure

_HOMES = {
    "measure": "doxa.metrics.maths.measuring",
    "measure_table": "doxa.metrics.maths.form",
    "compare": "doxa.metrics.maths.comparing",
}


def __getattr__(name: str) -> Any:
    """Load a metric, `measure`, `measure_table` or `compare` on first use, so that `import doxa` stays light."""
    from importlib import import_module

    from doxa import registry

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name.startswith("_") or name not in registry.names("metrics"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return registry.find("metrics", name)


def __dir__() -> list[str]:
    """All metrics, `measure`, `measure_table` and `compare`."""
    from doxa import registry

    return [*registry.names("metrics"), *_HOMES]
