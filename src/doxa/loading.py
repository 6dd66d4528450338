"""From a model's written name to the model: `smollm2`, `hf/PATH`, `openai/NAME`, `replay/FILE`, `mock/NAME` …"""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from doxa import registry
from doxa.errors import UsageError
from doxa.types import Model


def load_model(spec: str, **knobs: Any) -> Model:
    """Make the model that `spec` names: a member of the room `models`, then `/` and what that member is to load.

    `knobs` are further fields of the member, e.g. `load_model("openai/gpt-4o", timeout=30)`; they may also be written
    behind the name, as in `smollm2(int8=true)`. What stands after the first slash is the member's first field.
    Raises `UsageError` for an unknown member or knob, a knob of another type, or a missing or needless name.
    """
    spec, written = parts(spec)
    provider, slash, target = spec.partition("/")
    if provider not in registry.names("models"):
        raise UsageError(f"no model {spec!r}", hint=_nearest(spec, provider if slash else ""))
    first, needed = _first_knob(provider)
    knobs = registry.liken("models", provider, written) | knobs
    if target:
        knobs = {first: target, **knobs}
    elif slash or (needed and first not in knobs):
        raise UsageError(f"{spec!r} does not say which model", hint=f"write {provider}/{first.upper()}")
    return cast(Model, registry.build("models", provider, **knobs))


def parts(spec: str) -> tuple[str, dict[str, Any]]:
    """The name of a model, and the knobs written behind it; brackets that hold anything else belong to the name.

    >>> parts("hf/models/a(dtype=bfloat16)"), parts("hf/models/a (copy)")
    (('hf/models/a', {'dtype': 'bfloat16'}), ('hf/models/a (copy)', {}))
    """
    name, bracket, inside = spec.rpartition("(")
    if not (bracket and spec.endswith(")")):
        return spec, {}
    try:
        _, values = registry.read(f"knobs({inside}")
    except UsageError:
        values = {}
    return (name.rstrip(), values) if values else (spec, {})


def with_knobs(spec: str, given: Sequence[str]) -> str:
    """The name of a model with knobs, each given as `KEY=VALUE`, written behind it.

    >>> with_knobs("smollm2", ["int8=true", "device=cuda:1"])
    "smollm2(int8=true, device='cuda:1')"

    Raises `UsageError` for one that is not of that form.
    """
    if not given:
        return spec
    name, known = parts(spec)
    written = {knob: repr(value) for knob, value in known.items()}
    for each in given:
        knob, equals, value = (part.strip() for part in each.partition("="))
        if not (equals and knob.isidentifier() and value):
            raise UsageError(f"-M {each!r} is not KEY=VALUE", hint="for example -M int8=true")
        written[knob] = value if value.isidentifier() or _is_literal(value) else repr(value)
    return f"{name}({', '.join(f'{knob}={value}' for knob, value in written.items())})"


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


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
