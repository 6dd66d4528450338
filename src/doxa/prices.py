"""What a model's tokens cost, from a `prices.yaml` that the user keeps: no price is ever assumed.

openai/gpt-4o-mini: {input: 0.15, output: 0.60}      # USD per million tokens
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from doxa.errors import DataError
from doxa.types import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """Price in USD per million tokens read (`input`) and written (`output`)."""

    input: float
    output: float

    def cost(self, usage: Usage) -> float | None:
        """USD for a usage; `None` when the server did not say how many tokens it used."""
        if usage.tokens_in is None or usage.tokens_out is None:
            return None
        return (self.input * usage.tokens_in + self.output * usage.tokens_out) / 1e6


def price_of(model: str, path: str = "prices.yaml") -> Price | None:
    """The price of `model` in the file, or `None` when the file or the entry does not exist."""
    file = Path(path)
    if not file.is_file():
        return None
    import yaml

    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        entry = entries.get(model)
        price = None if entry is None else Price(float(entry["input"]), float(entry["output"]))
        if price is not None and not (0 <= price.input < math.inf and 0 <= price.output < math.inf):
            raise ValueError("it is negative or no number")
        return price
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else " ".join(str(error).split())
        hint = "write: openai/NAME: {input: 0.15, output: 0.60}   (USD per million tokens)"
        raise DataError(f"{path}: the price of {model} cannot be read ({reason})", hint=hint) from None
