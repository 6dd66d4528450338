"""How numbers are written, in every report alike: `.79 ± .08`, `.79 [.71, .87]`, `48 %`, `2,900`, `4 m 40 s`, `—`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

M = Mapping[str, Any]
"""A `Measurement` as JSON."""

NONE = "—"
_SAME = 0.005
"""Sides of an interval that differ by less are written as one ±."""


def number(value: float | None, digits: int = 2) -> str:
    """A number without its leading zero and with a real minus sign.

    >>> number(0.794), number(-0.2), number(1.0), number(-0.001), number(None)
    ('.79', '−.20', '1.00', '.00', '—')
    """
    if value is None:
        return NONE
    text = f"{abs(value):.{digits}f}"
    minus = "−" if value < 0 and float(text) != 0 else ""
    return minus + (text[1:] if text.startswith("0.") else text)


def _sides(m: M) -> tuple[float, float] | None:
    """How far the interval reaches below and above the value, or `None` without a whole interval."""
    value, low, high = m["value"], m["low"], m["high"]
    return None if value is None or low is None or high is None else (value - low, high - value)


def _digits(sides: tuple[float, float]) -> int:
    """Two digits, or three where two would show an interval as nothing."""
    return 3 if 0 < max(sides) < _SAME else 2


def interval(m: M | None) -> str:
    """Value and 95 % interval: `.79 ± .08`, or `.79 [.66, .87]` where the sides differ."""
    if m is None or m["value"] is None:
        return NONE
    sides = _sides(m)
    if sides is None:
        return number(m["value"])
    digits = _digits(sides)
    value = number(m["value"], digits)
    if abs(sides[0] - sides[1]) < _SAME:
        return f"{value} ± {number(sum(sides) / 2, digits)}"
    return f"{value} [{number(m['low'], digits)}, {number(m['high'], digits)}]"


def compact(m: M | None) -> str:
    """Value and the wider side of its interval, for narrow places: `.79±.08`.

    Of an interval within [0, 1] whose wider side has no room on the other: `.95−.10`, or `.05+.10`.
    """
    if m is None or m["value"] is None:
        return NONE
    sides = _sides(m)
    if sides is None:
        return number(m["value"])
    wider = max(sides)
    share = m["low"] >= 0 and m["high"] <= 1
    sign = "−" if share and m["value"] + wider > 1 else "+" if share and m["value"] - wider < 0 else "±"
    return f"{number(m['value'])}{sign}{number(wider)}"


def chance(p: float | None) -> str:
    """A p-value; one that three digits would show as nothing as `<.001`.

    >>> chance(0.0312), chance(1.0), chance(1e-9), chance(None)
    ('.031', '1.000', '<.001', '—')
    """
    return number(p, 3) if p is None or p >= 0.0005 else "<.001"


def percent(value: float | None) -> str:
    """A share as `48 %`.

    >>> percent(0.484), percent(None)
    ('48 %', '—')
    """
    return NONE if value is None else f"{100 * value:.0f} %"


def percent_interval(m: M) -> str:
    """A share and its interval: `48 % [38 %, 58 %]`."""
    if m["value"] is None or m["low"] is None or m["high"] is None:
        return percent(m["value"])
    return f"{percent(m['value'])} [{percent(m['low'])}, {percent(m['high'])}]"


def count(value: float | None) -> str:
    """A whole number with thousands marked, or large ones as `92 k`, `1.2 M`.

    >>> count(2900), count(92_400), count(1_240_000), count(None)
    ('2,900', '92 k', '1.2 M', '—')
    """
    if value is None:
        return NONE
    if value >= 999_500:
        return f"{value / 1e6:.1f} M"
    return f"{value / 1e3:.0f} k" if value >= 10_000 else f"{value:,.0f}"


def plural(n: int, noun: str) -> str:
    """`1 call`, `2,900 calls`."""
    return f"{count(n)} {noun}" + ("" if n == 1 else "s")


def duration(seconds: float | None) -> str:
    """`9 s`, `4 m 40 s`, `2 h 05 m`.

    >>> duration(281.0), duration(59.6), duration(7500)
    ('4 m 41 s', '1 m 00 s', '2 h 05 m')
    """
    if seconds is None:
        return NONE
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} m"
    return f"{minutes} m {rest:02d} s" if minutes else f"{rest} s"


def why(m: M | None, otherwise: str = "not measured") -> str:
    """Why a measurement has no value."""
    return otherwise if m is None else m["reason"] or otherwise


def spoken(m: M | None) -> str:
    """A measurement in words, for text alternatives: `.79, from .71 to .87, n = 96, 4 missing`."""
    if m is None or m["value"] is None:
        return f"no value ({why(m)})"
    parts = [number(m["value"])]
    if _sides(m) is not None:
        parts.append(f"from {number(m['low'])} to {number(m['high'])}")
    parts.append(f"n = {m['n']:,}")
    parts += [f"{m[key]:,} {key}" for key in ("missing", "errors") if m.get(key)]
    return ", ".join(parts)
