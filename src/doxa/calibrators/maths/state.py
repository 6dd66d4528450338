"""Calibrators as JSON: knobs are the public fields of the dataclass, what was learnt the ones with an underscore."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from doxa import registry
from doxa.errors import DataError, UsageError

SCHEMA = "doxa.calibrator/1"
T = TypeVar("T")


def dump(calibrator: Any) -> dict[str, Any]:
    """JSON-able form of a fitted calibrator. Raises `UsageError` if it is not fitted."""
    values = {f.name: getattr(calibrator, f.name) for f in fields(calibrator)}
    state = {name[1:]: value for name, value in values.items() if name.startswith("_")}
    return {
        "schema": SCHEMA,
        "method": type(calibrator).__module__.rsplit(".", 1)[-1],
        "knobs": {name: value for name, value in values.items() if not name.startswith("_")},
        "state": {name: list(value) if isinstance(value, tuple) else fitted(value) for name, value in state.items()},
    }


def load(kind: type[T], data: Mapping[str, Any]) -> T:
    """The calibrator of class `kind` that `dump` wrote. Raises `DataError` for anything else."""
    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        raise DataError(
            "not a calibrator", hint=f"expected a JSON object with schema {SCHEMA!r}, as doxa calibrate writes"
        )
    names = {f.name.removeprefix("_"): f.name for f in fields(kind)}  # type: ignore[arg-type]
    knobs, state = data.get("knobs"), data.get("state")
    if not isinstance(knobs, Mapping) or not isinstance(state, Mapping) or {*knobs, *state} != {*names}:
        raise DataError(f"a {data.get('method')} calibrator has the fields {', '.join(names)}", hint="fit it again")
    values = {names[name]: _frozen(name, value) for name, value in {**knobs, **state}.items()}
    return kind(**values)


def revive(data: Mapping[str, Any]) -> Any:
    """The calibrator of whatever method that `data` describes. Raises `DataError` or `UsageError`."""
    method = data.get("method") if isinstance(data, Mapping) else None
    if not isinstance(method, str):
        raise DataError(
            "not a calibrator", hint=f"expected a JSON object with schema {SCHEMA!r}, as doxa calibrate writes"
        )
    return registry.find("calibrators", method).from_json(data)


def fitted(part: T | None) -> T:
    """A part of the state; raises `UsageError` where it is still missing."""
    if part is None:
        raise UsageError(
            "the calibrator is not fitted", hint="call fit(confidence=…, correct=…) first, and use what it returns"
        )
    return part


def ungrouped(by: Any) -> None:
    """Raise `UsageError` for groups, which these methods do not take."""
    if by is not None:
        raise UsageError("this calibrator takes no groups", hint="leave out by, or fit one calibrator per group")


def _frozen(name: str, value: Any) -> Any:
    """A state value as the dataclass holds it: finite numbers and words; lists become tuples."""
    if isinstance(value, list):
        return tuple(_frozen(name, item) for item in value)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise DataError(f"{name} of the calibrator is {value!r}", hint="fit it again")
    if not isinstance(value, str) and not math.isfinite(value):
        raise DataError(f"{name} of the calibrator is {value!r}", hint="fit it again")
    return value
