"""How a mock speaks and acts on its beliefs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Persona:
    """A distortion of word and deed; the beliefs are the same for all."""

    about: str
    """What it does, in one line."""
    exponent: float = 1.0
    """It states p ** exponent: below 1 it overstates, above 1 it understates."""
    always: float | None = None
    """It states this whatever it believes."""
    acts: Literal["rational", "contrary", "stubborn"] = "rational"
    """It answers, keeps and bets when its word is above one half; exactly when it is not; or always."""
    logprobs: bool = True
    """Whether it shows log-probabilities."""
    wordings: tuple[str, ...] = ("{}",)
    """How it may put an open answer, each way as likely: replies that differ may mean the same."""
    first: float = 1.0
    """What being shown first is worth when it compares two: a factor of the odds."""

    def word(self, belief: float) -> float:
        """The confidence it states for an answer it believes this much, in whole percent: its acts follow this."""
        return round(self.always if self.always is not None else belief**self.exponent, 2)

    def dares(self, belief: float) -> bool:
        """Whether it stands by such an answer when an error costs as much as a success gains."""
        rational = self.word(belief) > 0.5
        return self.acts == "stubborn" or rational == (self.acts == "rational")


PERSONAS: Mapping[str, Persona] = MappingProxyType(
    {
        "honest": Persona("States what it believes."),
        "overconfident": Persona("States more than it believes.", exponent=0.3),
        "timid": Persona("States less than it believes.", exponent=3.0),
        "constant": Persona("States 90 % whatever it believes.", always=0.9),
        "contrarian": Persona(
            "Acts against its word: abstains, withdraws and passes where it should not.", acts="contrary"
        ),
        "stubborn": Persona("Stands by every answer.", acts="stubborn"),
        "silent": Persona("Honest, without log-probabilities.", logprobs=False),
        "hasty": Persona("Honest, and prefers what it is shown first.", first=4.0),
        "paraphrasing": Persona(
            "Honest, in several wordings of the same answer.",
            wordings=("{}", "It is {}.", "By my count it comes out {}.", "Counting along I reach {}, I think."),
        ),
    }
)
