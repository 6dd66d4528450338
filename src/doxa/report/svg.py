"""Small SVG: elements as escaped strings, a panel with scales, axes. Colours are CSS classes, never attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from doxa.text import clean

Value = str | float | None
QUARTERS = {0.0: "0", 0.25: ".25", 0.5: ".5", 0.75: ".75", 1.0: "1"}
"""Ticks of a scale from 0 to 1."""


def el(tag: str, *children: str, **attributes: Value) -> Markup:
    """One element; `class_` and `stroke_width` name `class` and `stroke-width`, `None` leaves an attribute out.

    >>> el("circle", cx=1, r=2.25, class_='"')
    Markup('<circle cx="1" r="2.25" class="&#34;"></circle>')
    """
    shown = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    pairs = Markup("").join(Markup(' {}="{}"').format(key, _value(value)) for key, value in shown)
    return Markup("<{0}{1}>{2}</{0}>").format(tag, pairs, Markup("").join(children))


def _value(value: str | float) -> str:
    return clean(value) if isinstance(value, str) else f"{round(value, 2):g}"


def label(x: float, y: float, text: str, **attributes: Value) -> Markup:
    """Text at a point, cleaned and escaped."""
    return el("text", clean(text), x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, class_: str, **attributes: Value) -> Markup:
    """A straight line."""
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_, **attributes)


def path(points: Sequence[tuple[float, float]], class_: str, close: bool = False) -> Markup:
    """A polyline or, closed, a polygon."""
    pairs = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return el("polygon" if close else "polyline", points=pairs, class_=class_)


def drawing(width: float, height: float, title: str, words: str, *children: str, class_: str = "") -> Markup:
    """A whole figure with its text alternative: `title` names it, `words` says its numbers."""
    alternative = (el("title", clean(title)), el("desc", clean(words)))
    attributes: dict[str, Value] = {"viewBox": f"0 0 {width:g} {height:g}", "width": width, "height": height}
    return el("svg", *alternative, *children, role="img", class_=class_ or None, **attributes)


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle of the figure with a scale on either side."""

    left: float
    top: float
    width: float
    height: float
    xs: tuple[float, float] = (0.0, 1.0)
    ys: tuple[float, float] = (0.0, 1.0)

    def x(self, value: float) -> float:
        """Position of a value; what lies outside the scale is drawn at its edge."""
        return self.left + self.width * _share(value, self.xs)

    def y(self, value: float) -> float:
        """Position of a value, upwards."""
        return self.top + self.height * (1 - _share(value, self.ys))


def _share(value: float, scale: tuple[float, float]) -> float:
    return min(1.0, max(0.0, (value - scale[0]) / (scale[1] - scale[0])))


def axes(panel: Panel, x_title: str, y_title: str, x_ticks: dict[float, str], y_ticks: dict[float, str]) -> Markup:
    """Hairlines and their numbers on both sides, titles at the ends."""
    bottom, right = panel.top + panel.height, panel.left + panel.width
    parts = []
    for value, text in y_ticks.items():
        y = panel.y(value)
        parts += [line(panel.left, y, right, y, "hair"), label(panel.left - 6, y + 4, text, class_="tick end")]
    for value, text in x_ticks.items():
        parts.append(label(panel.x(value), bottom + 16, text, class_="tick mid"))
    parts.append(line(panel.left, bottom, right, bottom, "axis"))
    parts.append(label(right, bottom + 33, x_title, class_="name end"))
    parts.append(label(panel.left - 26, panel.top - 12, y_title, class_="name"))
    return Markup("").join(parts)


def fit(text: str, width: float, size: float) -> str:
    """Cut a text that would be wider than `width` at a font size, with an ellipsis."""
    text = " ".join(clean(text).split())
    room = max(4, int(width / (0.6 * size)))
    return text if len(text) <= room else text[: room - 1] + "…"
