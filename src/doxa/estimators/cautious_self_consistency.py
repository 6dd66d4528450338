"""Self-consistency of answers that were decoded cautiously."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doxa.estimators.reading import answered
from doxa.inquiry import Inquiry
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale


@dataclass(frozen=True)
class CautiousSelfConsistency:
    """Share of n cautiously decoded answers that agree with the reply: (1/n) Σ [sample_i = reply].

    Range [0, 1], higher is surer. Cautious next-token prediction (Wang et al. 2025, arXiv 2507.03038) samples as usual,
    but where the next token's entropy is high it tries several ways on to the next punctuation mark and keeps the one
    with the lowest perplexity; the paper combines it with self-consistency. Only models that decode so have a number:
    those that run in the local engine. An answer costs several times the tokens of an ordinary one. What counts as
    agreement, and answers that cannot be read, are as in `self_consistency`; a cautious reply itself comes from
    `--decoding cautious`.
    """

    samples: int = 10
    temperature: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("cautious-next-token",)
    coverage: ClassVar[str] = "full"
    dear: ClassVar[bool] = True
    helps: ClassVar[str] = (
        "A small model is noisy at temperature 1: cautious samples stray less, and on 40 capitals no method ranked the "
        "embedded model's replies better."
    )
    fails: ClassVar[str] = (
        "It runs in the local engine only, and each sample costs several times the tokens of an ordinary one."
    )

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Compare the reply with the samples."""
        _, answer = await answered(inquiry)
        samples = await inquiry.samples(self.samples, temperature=self.temperature, decoding="cautious")
        agree = [canonical(sample.text, inquiry.kind, inquiry.choices) == answer for sample in samples]
        return Confidence(sum(agree) / len(agree), self.scale)
