"""'Is True' by sampling: how often the model calls its own answer true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import check_samples, the_word
from doxa.inquiry import Inquiry
from doxa.prompts import words
from doxa.types import Access, Confidence, Scale

_WORDS = {"true": True, "false": False}


def share_true(judged: Sequence[bool | None]) -> float | None:
    """Share of true among the judgements that can be read; `None` without any.

    >>> share_true([True, False, None, True]), share_true([None])
    (0.6666666666666666, None)
    """
    read = [word for word in judged if word is not None]
    return sum(read) / len(read) if read else None


@dataclass(frozen=True)
class IsTrueSamples:
    """Share of "True" among n sampled judgements of the reply as true or false: true / (true + false).

    Range [0, 1], higher is surer. A fresh conversation shows question and reply after four judged examples; it needs
    text alone, where `p_true` reads the probability itself. Judgements that are neither word do not count; `details`
    tells how many could be read. Tian et al. 2023, Just Ask for Calibration (arXiv 2305.14975), "'Is True' prob.";
    wording and examples are ours.
    """

    samples: int = 10
    temperature: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("just-ask-calibration",)
    coverage: ClassVar[str] = "partial: 'Is True' prob."
    helps: ClassVar[str] = "A server shows no log-probabilities, and P(True) is wanted all the same."
    fails: ClassVar[str] = "Small models toss a coin, and with ten samples the number comes in steps of a tenth."

    def __post_init__(self) -> None:
        """Check the number of samples."""
        check_samples(self.samples)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Draw the judgements and count."""
        reply = await inquiry.reply()
        messages = words.is_true(inquiry.messages, reply.text)
        drawn = await inquiry.draws(messages, self.samples, temperature=self.temperature, max_tokens=4)
        judged = [the_word(each.text, _WORDS) for each in drawn]
        value = share_true(judged)
        details = {"readable": float(sum(word is not None for word in judged))}
        return Confidence(value, self.scale, "" if value is not None else "no judgement can be read", details=details)
