"""Calibrators and policies as JSON: knobs are the public fields of a dataclass, what is learnt begins with `_`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from doxa import registry
from doxa.errors import DataError, UsageError

SCHEMAS = {"calibrators": "doxa.calibrator/1", "policies": "doxa.policy/1"}
"""Room to the schema of what its members write."""
T = TypeVar("T")


def dump(member: Any) -> dict[str, Any]:
    """JSON-able form of a fitted member. Raises `UsageError` if it is not fitted."""
    values = {f.name: getattr(member, f.name) for f in fields(member)}
    *_, room, name = type(member).__module__.split(".")
    state = {name[1:]: _plain(fitted(value)) for name, value in values.items() if name.startswith("_")}
    knobs = {name: _plain(value) for name, value in values.items() if not name.startswith("_")}
    return {"schema": SCHEMAS[room], "method": name, "knobs": knobs, "state": state}


def load(kind: type[T], data: Mapping[str, Any]) -> T:
    """The member of class `kind` that `dump` wrote. Raises `DataError` for anything else."""
    room = room_of(data)
    names = {f.name.removeprefix("_"): f.name for f in fields(kind)}  # type: ignore[arg-type]
    knobs, state = data.get("knobs"), data.get("state")
    if not isinstance(knobs, Mapping) or not isinstance(state, Mapping) or {*knobs, *state} != {*names}:
        raise DataError(f"{room}: {data['method']} has the fields {', '.join(names)}", hint="fit it again")
    flags = {name: value for name, value in knobs.items() if value is None or isinstance(value, bool)}
    rest = {names[name]: _frozen(name, value) for name, value in {**knobs, **state}.items() if name not in flags}
    return kind(**rest, **flags)


def room_of(data: Mapping[str, Any]) -> str:
    """The room whose member `data` describes. Raises `DataError` where it describes none."""
    schema = data.get("schema") if isinstance(data, Mapping) else None
    for room, known in SCHEMAS.items():
        if schema == known and isinstance(data.get("method"), str):
            return room
    known = " or ".join(repr(each) for each in SCHEMAS.values())
    raise DataError("not a calibrator", hint=f"expected a JSON object with schema {known}, as doxa calibrate writes")


def revive(data: Mapping[str, Any]) -> Any:
    """The calibrator or policy of whatever method that `data` describes. Raises `DataError` or `UsageError`."""
    return registry.find(room_of(data), data["method"]).from_json(data)


def fitted(part: T | None) -> T:
    """A part of the state; raises `UsageError` where it is still missing."""
    if part is None:
        raise UsageError("it is not fitted", hint="call fit(confidence=…, correct=…) first, and use what it returns")
    return part


def ungrouped(by: Any) -> None:
    """Raise `UsageError` for groups, which these methods do not take."""
    if by is not None:
        raise UsageError("this calibrator takes no groups", hint="stratified and multicalibration take groups")


def _frozen(name: str, value: Any) -> Any:
    """A value as the dataclass holds it: finite numbers and words; lists become tuples, members live again."""
    if isinstance(value, list):
        return tuple(_frozen(name, item) for item in value)
    if isinstance(value, dict):
        return revive(value)
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, str))
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        raise DataError(f"the field {name} is {value!r}", hint="fit it again")
    return value


def _plain(value: Any) -> Any:
    """A value as JSON has it: tuples become lists, members their own JSON."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.to_json() if hasattr(value, "to_json") else value
