"""Measurements as text of 80 columns: one group as a list, several as blocks."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from doxa.scoring import Group
from doxa.text import clean
from doxa.types import Measurement

WIDTH, CELL = 80, 11
PER_LINE = (WIDTH - 2) // CELL
DIRECTION = {"low": "lower is better", "high": "higher is better", "zero": ""}
Line = tuple[str, str]
"""A line and its style on a terminal."""


def show(lines: Iterable[Line]) -> None:
    """Print lines on stdout, without the control characters of names in them: styled on a terminal, plain elsewhere."""
    safe = [(clean(text).rstrip(), style) for text, style in lines]
    if not sys.stdout.isatty():
        sys.stdout.write("".join(f"{text}\n" for text, _ in safe))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for text, style in safe:
        console.print(Text(text, style=style), soft_wrap=True)


def layout(groups: Sequence[Group]) -> list[Line]:
    """All groups: a single one as a list with every interval, several as blocks."""
    return _listed(groups[0]) if len(groups) == 1 else _blocks(groups)


def _listed(group: Group) -> list[Line]:
    """One metric per line."""
    first = group.measurements[0]
    lines: list[Line] = [(shortened(" · ".join([*_label(group), count(first)]), WIDTH), "bold")]
    wide = min(32, max(21, *(len(m.name) for m in group.measurements)))
    for m in group.measurements:
        if m.value is None:
            lines += [
                (part, "dim")
                for part in textwrap.wrap(f"{m.name:<{wide}} —  {m.reason}", WIDTH, subsequent_indent=" " * (wide + 4))
            ]
        else:
            known = m.low is not None and m.high is not None
            ends = f"{m.low:.4f} to {m.high:.4f}" if known else "no interval"
            name = shortened(m.name, wide)
            lines.append((f"{name:<{wide}}{m.value:8.4f}   {ends:<18}   {DIRECTION[m.better]}", ""))
            if m.name in group.bounds:
                lines.append((f"    from bins: within {group.bounds[m.name]:.1e} of the exact value", "dim"))
            if m.reason and not known:
                note = m.reason.removeprefix("no interval: ").removeprefix("no interval ")
                lines += [(f"    {part}", "dim") for part in textwrap.wrap(note, WIDTH - 4)]
    return lines


def _blocks(groups: Sequence[Group]) -> list[Line]:
    """Per group its name and count, its values, and below them their intervals."""
    widest = sorted(groups, key=lambda group: -len(group.measurements))
    names = list(dict.fromkeys(m.name for group in widest for m in group.measurements))
    slices = [slice(i, i + PER_LINE) for i in range(0, len(names), PER_LINE)]
    lines: list[Line] = [(text, "bold") for part in slices for text in _header(names[part])]
    for group in groups:
        label, counted = " · ".join(_label(group)), count(group.measurements[0])
        lines.append((f"{shortened(label, WIDTH - len(counted) - 1):<{WIDTH - len(counted)}}{counted}", "bold"))
        found = {m.name: m for m in group.measurements}
        for part in slices:
            some = [found.get(name) for name in names[part]]
            lines.append((_row([_value(m) for m in some]), ""))
            if any(m is not None and m.low is not None for m in some):
                lines.append((_row([_interval(m) for m in some]), "dim"))
    lines += _notes(groups)
    return lines


def _header(names: Sequence[str]) -> list[str]:
    """Names of metrics over their columns, in as many lines as the longest needs."""
    words = [textwrap.wrap(name.replace("confidence", "conf.").replace("_", " "), CELL - 1) for name in names]
    height = max(map(len, words))
    return [_row([column[i] if i < len(column) else "" for column in words]) for i in range(height)]


def _row(cells: Sequence[str]) -> str:
    """Cells aligned to the right."""
    return "  " + "".join(f"{cell:>{CELL}}" for cell in cells)


def _label(group: Group) -> list[str]:
    """The values of the `by` columns, safe to print."""
    return [clean(value).replace("\n", " ").replace("\t", " ") for value in group.by.values()]


def _value(m: Measurement | None) -> str:
    """Three digits, a dash where there is no value, nothing where it was not measured."""
    if m is None:
        return ""
    return "—" if m.value is None else f"{m.value:.3f}"


def _interval(m: Measurement | None) -> str:
    """Both ends, short enough for a cell."""
    if m is None or m.low is None or m.high is None:
        return ""
    for digits in (3, 2):
        text = "–".join(
            f"{end:.{digits}f}".replace("0.", ".", 1) if abs(end) < 1 else f"{end:.{digits}f}"
            for end in (m.low, m.high)
        )
        if len(text) < CELL:
            break
    return text


def _notes(groups: Sequence[Group]) -> list[Line]:
    """How far values from bins may be off, and each reason for a dash with the number of groups it holds for."""
    reasons: dict[str, int] = {}
    for group in groups:
        for m in group.measurements:
            if m.value is None:
                reasons[f"{m.name}: {m.reason}"] = reasons.get(f"{m.name}: {m.reason}", 0) + 1
    most = {name: max(g.bounds.get(name, 0.0) for g in groups) for g in groups for name in g.bounds}
    bounds = [f"{name}: from bins, within {bound:.1e} of the exact value" for name, bound in most.items()]
    notes = (f"— {reason} ({times} {'group' if times == 1 else 'groups'})" for reason, times in reasons.items())
    return [(line, "dim") for note in [*bounds, *notes] for line in textwrap.wrap(note, WIDTH, subsequent_indent="  ")]


def count(m: Measurement) -> str:
    """How many answers a measurement is about."""
    return f"n {m.n:,}" + (f", {m.missing:,} missing" if m.missing else "")


def shortened(text: str, most: int) -> str:
    """The text, cut with an ellipsis where it is longer than `most`."""
    return text if len(text) <= most else text[: most - 1] + "…"


def wrapped(text: str, style: str = "dim") -> list[Line]:
    """A sentence in lines of 80 columns."""
    return [(part, style) for part in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]


def grouped(labels: Mapping[str, Any]) -> dict[Any, list[str]]:
    """Labels by what they have in common.

    >>> grouped({"a": "no key", "b": "no network", "c": "no key"})
    {'no key': ['a', 'c'], 'no network': ['b']}
    """
    found: dict[Any, list[str]] = {}
    for label, what in labels.items():
        found.setdefault(what, []).append(label)
    return found
