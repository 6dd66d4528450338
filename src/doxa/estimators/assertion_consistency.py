"""Assertion consistency: how far further answers agree with what the model asserts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.errors import UsageError
from doxa.estimators.hedging.asking import FORM, Said, check_prompt, declines, own_sentence, said, sentence_asked
from doxa.estimators.meaning.services import AUTO, CONTRADICTION, ENTAILMENT, provenance, resolve, verdicts
from doxa.estimators.reading import check_samples
from doxa.inquiry import Inquiry
from doxa.types import Access, Confidence, Scale

_BY = ("entailment", "normalised")


def assertion_consistency(marks: Sequence[float]) -> float:
    """1 − the mean of what further answers do to an assertion: 0 agree, 1 contradict, 1/2 neither.

    >>> assertion_consistency([0, 0, 1, 0.5])
    0.625
    """
    return 1 - sum(marks) / len(marks)


@dataclass(frozen=True)
class AssertionConsistency:
    """1 − (1/K) Σ x_k over K samples, x_k being 0 where sample k agrees with the own answer, 1 where it contradicts it.

    Range [0, 1], higher is surer. Own answer and samples are sentences asked for alike, as `linguistic_confidence`
    does; hedges do not count. By "entailment" a sample that entails the answer agrees, one that contradicts it
    contradicts, and any other counts 1/2; by "normalised" one with the same normalised answer agrees and any other
    contradicts; "auto" takes entailment where the run has such a service and the question is open. A sample without a
    readable answer counts 1/2 either way. An answer that declines to answer asserts nothing. The confidence of
    MetaFaith, Liu et al. 2025 (arXiv 2505.24858), of an answer that is one assertion.
    """

    prompt: str = "plus"
    variant: int = 0
    samples: int = 20
    temperature: float = 1.0
    by: str = AUTO

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("metafaith",)
    coverage: ClassVar[str] = "partial: see estimators/decisiveness"
    example: ClassVar[str] = "bank:capitals --limit 8"
    spelled: ClassVar[str] = "decisiveness,assertion_consistency"
    helps: ClassVar[str] = "Open questions with short answers, as self_consistency; beside decisiveness it is a mirror."
    fails: ClassVar[str] = "A model that repeats the same error each time; answers that hold several assertions."

    def __post_init__(self) -> None:
        """Check the prompt, the number of samples and what compares them."""
        check_prompt(self.prompt, self.variant)
        check_samples(self.samples)
        if self.by not in (AUTO, *_BY):
            raise UsageError(f"no comparison of assertions by {self.by!r}", hint=f"there are: auto, {', '.join(_BY)}")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Ask for the sentence and the samples, and compare."""
        by = resolve(self.by, inquiry, _BY)
        rests_on = provenance(by, inquiry)
        own = await own_sentence(inquiry, self.prompt, self.variant)
        if own.answer is None:
            why = "declines to answer" if declines(own.text) else "cannot be read"
            return Confidence(None, self.scale, f"its own answer {why}", answer=own.text)
        asked = sentence_asked(inquiry, self.prompt, self.variant)
        drawn = await inquiry.draws(asked, self.samples, temperature=self.temperature, **FORM)
        samples = [said(inquiry, reply) for reply in drawn]
        marks = await _entailed(inquiry, own, samples) if by == "entailment" else _equal(own, samples)
        return Confidence(assertion_consistency(marks), self.scale, answer=own.claim, provenance=rests_on)


def _equal(own: Said, samples: Sequence[Said]) -> list[float]:
    return [0.5 if sample.answer is None else float(sample.answer != own.answer) for sample in samples]


async def _entailed(inquiry: Inquiry, own: Said, samples: Sequence[Said]) -> list[float]:
    rows = await verdicts(inquiry, [(sample.claim, own.claim) for sample in samples])
    mark = {ENTAILMENT: 0.0, CONTRADICTION: 1.0}
    likeliest = rows.argmax(axis=1).tolist()
    return [0.5 if s.answer is None else mark.get(best, 0.5) for s, best in zip(samples, likeliest, strict=True)]
