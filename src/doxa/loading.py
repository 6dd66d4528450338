"""From a model's written name to the model: `smollm2`, `hf/PATH`, `openai/NAME`, `replay/FILE`, `mock/NAME`."""

from __future__ import annotations

import difflib
import inspect
from pathlib import Path
from typing import Any, cast

from doxa import registry
from doxa.errors import UsageError
from doxa.types import Model


def load_model(spec: str, **knobs: Any) -> Model:
    """Make the model that `spec` names: a member of the room `models`, then `/` and what that member is to load.

    `knobs` are further fields of the member, e.g. `load_model("openai/gpt-4o", timeout=30)`. What stands after the
    first slash is the member's first field. Raises `UsageError` for an unknown member or a missing or needless name.
    """
    provider, slash, target = spec.partition("/")
    if provider not in registry.names("models"):
        raise UsageError(f"no model {spec!r}", hint=_nearest(spec, provider if slash else ""))
    first, needed = _first_knob(provider)
    if target:
        knobs = {first: target, **knobs}
    elif slash or (needed and first not in knobs):
        raise UsageError(f"{spec!r} does not say which model", hint=f"write {provider}/{first.upper()}")
    return cast(Model, registry.build("models", provider, **knobs))


def _first_knob(provider: str) -> tuple[str, bool]:
    """Name of a member's first parameter, and whether it must be given."""
    parameters = inspect.signature(registry.find("models", provider)).parameters.values()
    first = next(iter(parameters))
    return first.name, first.default is inspect.Parameter.empty


def _nearest(spec: str, provider: str) -> str:
    """What the caller may have meant."""
    known = registry.names("models")
    near = difflib.get_close_matches(provider or spec, known, n=1)
    if near:
        return f"did you mean {near[0] + spec[len(provider) :] if provider else near[0]!r}?"
    if Path(spec).is_file():
        return f"did you mean 'replay/{spec}'?"
    if spec and Path(spec).is_dir():
        return f"did you mean 'hf/{spec}'?"
    if provider or not spec:
        return f"write PROVIDER/NAME; providers are {', '.join(known)}"
    return f"did you mean 'openai/{spec}'? Others: {', '.join(known)}"
