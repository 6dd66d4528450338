"""doxa: find out whether a language model knows what it knows.

    import doxa
    doxa.measure(confidence=p, correct=y)
    model = doxa.load_model("smollm2")
    run = doxa.assay(model, doxa.bank("capitals"), estimators=["self_consistency", "p_true"])
    print(run.table())

`doxa.flow` shows how everything hangs together.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doxa.door import aassay as aassay
    from doxa.door import assay as assay
    from doxa.loading import load_model as load_model
    from doxa.metrics.maths.comparing import compare as compare
    from doxa.metrics.maths.measuring import measure as measure
    from doxa.questions import bank as bank
    from doxa.runs import Run as Run
    from doxa.types import Confidence as Confidence
    from doxa.types import Message as Message
    from doxa.types import Question as Question

__version__ = "0.1.0"

_HOMES = {
    "aassay": "doxa.door",
    "assay": "doxa.door",
    "bank": "doxa.questions",
    "compare": "doxa.metrics.maths.comparing",
    "Confidence": "doxa.types",
    "load_model": "doxa.loading",
    "measure": "doxa.metrics.maths.measuring",
    "Message": "doxa.types",
    "Question": "doxa.types",
    "Run": "doxa.runs",
}
_ROOMS = ("calibrators", "estimators", "grading", "metrics", "models", "policies", "questions")
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a public name or a room on first use, so that `import doxa` stays light."""
    if name in _ROOMS:
        return import_module(f"doxa.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'doxa' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Public names and rooms."""
    return [*__all__, *_ROOMS, "__version__"]
