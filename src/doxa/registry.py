"""The folder is the registry: a member of a room is a file in the room's folder.

A file `p_true.py` holds the class `PTrue`; a file `_brier_loss.py` holds the function `brier_loss` (underscore, so that
no function has the name of a module). Code that members share stands in sub-packages. Other distributions add members
through the entry-point group `doxa.<room>`.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
import pkgutil
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from doxa.errors import UsageError


@cache
def _files(room: str) -> dict[str, str]:
    """Member name to module path, for the files of a room's folder."""
    package = importlib.import_module(f"doxa.{room}")
    modules = (info.name for info in pkgutil.iter_modules(package.__path__) if not info.ispkg)
    return {name.lstrip("_"): f"doxa.{room}.{name}" for name in modules}


def _foreign(room: str) -> dict[str, Any]:
    """Member name to entry point, for members of other distributions."""
    return {point.name: point for point in entry_points(group=f"doxa.{room}")}


def names(room: str) -> list[str]:
    """Names of all members of a room, sorted."""
    return sorted({*_files(room), *_foreign(room)})


def find(room: str, name: str) -> Any:
    """The member itself: a class or a function.

    Raises `UsageError` naming the nearest known members when there is none of that name.
    """
    path = _files(room).get(name)
    if path is not None:
        return _member(importlib.import_module(path), name)
    point = _foreign(room).get(name)
    if point is not None:
        return point.load()
    near = difflib.get_close_matches(name, names(room), n=3)
    hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else f"there are: {', '.join(names(room))}"
    raise UsageError(f"no {name!r} in {room}", hint=hint)


def _member(module: Any, name: str) -> Any:
    """The class or function of a member file: its public name equals the file's, ignoring case and underscores.

    A class comes first: the file of an estimator also holds the method's pure function, often of the same name.
    """
    wanted = name.replace("_", "").lower()
    found = [
        value
        for attribute, value in vars(module).items()
        if attribute.replace("_", "").lower() == wanted and getattr(value, "__module__", None) == module.__name__
    ]
    if not found:
        raise UsageError(f"{module.__name__} has no member named {name!r}", hint="a file holds one thing of its name")
    return next((value for value in found if inspect.isclass(value)), found[0])


def knobs(room: str, name: str) -> list[str]:
    """Names of the knobs a member takes."""
    member = find(room, name)
    if is_dataclass(member):
        return [f.name for f in fields(member) if f.init and not f.name.startswith("_")]
    return list(inspect.signature(member).parameters)


def build(room: str, name: str, /, **values: Any) -> Any:
    """Make a member with the given knobs. Raises `UsageError` for a knob it does not have."""
    member = find(room, name)
    known = knobs(room, name)
    for knob in values:
        if knob not in known:
            raise UsageError(f"{name} has no knob {knob!r}", hint=f"its knobs: {', '.join(known) or 'none'}")
    return member(**values)


def make(room: str, spelled: str) -> Any:
    """The member that is spelled `name` or `name(knob=value, …)`, e.g. `variation_ratio(original=True, samples=8)`.

    Values are plain literals, of the type of the knob's default; a bare word is a text. Raises `UsageError` for what
    cannot be read, an unknown member or knob, or a value of another type.
    """
    name, values = read(spelled)
    return build(room, name, **liken(room, name, values))


def liken(room: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    """Knobs as they were written, of the types that the member's own have. Raises `UsageError` for another type."""
    member = find(room, name)
    if is_dataclass(member):
        defaults = {each.name: each.default for each in fields(member)}
    else:
        defaults = {each.name: each.default for each in inspect.signature(member).parameters.values()}
    return {knob: like(defaults.get(knob), value, knob) for knob, value in values.items()}


def read(spelled: str) -> tuple[str, dict[str, Any]]:
    """Name and knobs of what is spelled `name` or `name(knob=value, …)`, read as data: nothing is called.

    Raises `UsageError` for what cannot be read.
    """
    if "(" not in spelled:
        return spelled.strip(), {}
    try:
        call = ast.parse(spelled.strip(), mode="eval").body
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and not call.args:
            values = {str(given.arg): _literal(given.value) for given in call.keywords if given.arg}
            if len(values) == len(call.keywords):
                return call.func.id, values
        reason = None
    except (SyntaxError, ValueError) as unreadable:
        reason = unreadable
    hint = "write name(knob=value, other=value), each knob once and texts of more than a word in quotes"
    raise UsageError(f"cannot read {spelled.strip()!r}", hint=hint) from reason


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return {"true": True, "false": False}.get(node.id, node.id)
    return ast.literal_eval(node)


def like(default: Any, value: Any, knob: str) -> Any:
    """The value as the type of the default, whole numbers being numbers too; of any type where there is no default.

    Raises `UsageError` for a value of another type.
    """
    if default in (None, MISSING, inspect.Parameter.empty) or type(value) is type(default):
        return value
    if isinstance(default, float) and type(value) is int:
        return float(value)
    ways = f"{knob}=true or {knob}=false" if isinstance(default, bool) else f"{knob}={default!r}, for example"
    raise UsageError(f"{knob} must be like {default!r}, got {value!r}", hint=f"write {ways}")
