"""What a benchmark found: plain numbers, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Row:
    """What one side took, a value for each round; lower is better."""

    side: str
    values: tuple[float, ...]
    work: float = 1
    """How much was done for one value."""
    rival: bool = True
    """False for what is no competitor: a bound, a unit of measure."""
    note: str = ""

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"no values of {self.side}")
        object.__setattr__(self, "values", tuple(self.values))

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def cost(self) -> float:
        """Median for one unit of work."""
        return self.median / self.work


@dataclass(frozen=True)
class Table:
    """Rows that can be compared, doxa's first."""

    title: str
    rows: tuple[Row, ...]
    of: str = ""
    """Name of the units of work, for a column of how many there are in a second."""
    unit: str = "s"

    def ratio(self, side: str) -> float | None:
        """What a side takes for one unit of work over what doxa takes; `None` if there is no such row."""
        found = [row for row in self.rows if row.side == side]
        return found[0].cost / self.rows[0].cost if found and self.rows[0].cost else None

    def losses(self) -> list[str]:
        """Sentences on the rivals that are ahead."""
        ahead = [(row, self.ratio(row.side)) for row in self.rows[1:] if row.rival]
        return [
            f"{self.title}: {row.side} needs {ratio:.2f} times what doxa needs."
            for row, ratio in ahead
            if ratio is not None and ratio < 1
        ]


@dataclass(frozen=True)
class Target:
    """A number that was promised."""

    what: str
    value: float | None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """`None` if it could not be measured."""
        if self.value is None:
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def bound(self) -> str:
        sides = (("at least", self.at_least), ("at most", self.at_most))
        return " and ".join(f"{word} {value:g}" for word, value in sides if value is not None)


@dataclass(frozen=True)
class Result:
    """All that the page says about one benchmark, besides its docstring."""

    tables: tuple[Table, ...] = ()
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    """Sides that could not be measured, and why."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of each side."""

    def losses(self) -> list[str]:
        """Where doxa loses: against rivals, against targets, and what the benchmark says of itself."""
        behind = [sentence for table in self.tables for sentence in table.losses()]
        missed = [f"{t.what}: {t.value:.3g} where {t.bound} is the target." for t in self.targets if t.met is False]
        return behind + missed + list(self.loses)
