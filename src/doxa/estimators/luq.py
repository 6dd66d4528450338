"""LUQ: how far each sentence of the reply is supported by further replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from doxa.estimators.meaning.services import CONTRADICTION, ENTAILMENT, keys, provenance
from doxa.estimators.reading import answered, check_samples
from doxa.inquiry import Inquiry
from doxa.text import normalise, sentences
from doxa.types import Access, Confidence, Part, Scale

if TYPE_CHECKING:
    from doxa.types import Floats


def luq(verdicts: Floats) -> Floats:
    """P(entailment) / (P(entailment) + P(contradiction)) of verdicts (…, 3): 1/2 where neither has any probability.

    >>> luq(np.array([[0.25, 0.5, 0.25], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5]])).tolist()
    [0.5, 0.5, 1.0]
    """
    entailed, contradicted = verdicts[..., ENTAILMENT], verdicts[..., CONTRADICTION]
    told = entailed + contradicted
    share: Floats = np.where(told > 0, entailed / np.where(told > 0, told, 1), 0.5)
    return share


@dataclass(frozen=True)
class Luq:
    """Mean over the reply's sentences and n samples of P(entailed) / (P(entailed) + P(contradicted)) by the sample.

    Range [0, 1], higher is surer; `parts` are the sentences, each with its mean over the samples. The premise is the
    whole sample, the hypothesis the sentence, without the question. A sample without a readable answer supports
    nothing; a reply without one has no confidence. Read are the sentences in the reply's first 4,000 characters. Needs
    an entailment service. Zhang et al. 2024, LUQ: Long-text Uncertainty Quantification for LLMs (arXiv 2403.20279);
    their uncertainty is 1 minus the mean of this over all replies to a question, each in turn the one that is judged.
    """

    samples: int = 10
    temperature: float = 1.0

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    open_ended: ClassVar[bool] = True
    implements: ClassVar[tuple[str, ...]] = ()
    helps: ClassVar[str] = (
        "Replies are several sentences long: each is held against other replies and has a number of its own."
    )
    fails: ClassVar[str] = (
        "With short answers there is nothing to tell apart, and it is only as good as the judge of entailment."
    )

    def __post_init__(self) -> None:
        """Check the number of samples."""
        check_samples(self.samples)

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Have every sentence of the reply judged by every sample."""
        rests_on = provenance("entailment", inquiry)
        reply, _ = await answered(inquiry)
        samples = [sample.text for sample in await inquiry.samples(self.samples, temperature=self.temperature)]
        spans = sentence_spans(reply.text)
        support = await _support(inquiry, [reply.text[start:end] for start, end in spans], samples)
        means = support.mean(axis=1).tolist()
        parts = tuple(Part(start, end, mean) for (start, end), mean in zip(spans, means, strict=True))
        return Confidence(float(support.mean()), self.scale, parts=parts, provenance=rests_on)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text stand that hold any word.

    >>> text = "It is Oslo. - It lies by the sea!"
    >>> [text[start:end] for start, end in sentence_spans(text)]
    ['It is Oslo.', '- It lies by the sea!']
    """
    found, end = [], 0
    for sentence in sentences(text):
        start = text.index(sentence, end)
        end = start + len(sentence)
        if normalise(sentence):
            found.append((start, end))
    return found


async def _support(inquiry: Inquiry, hypotheses: Sequence[str], samples: Sequence[str]) -> Floats:
    """The share of every sentence and sample, (sentences, samples); equal ones are not asked about."""
    said = dict(zip(samples, keys(inquiry, samples), strict=True))
    pairs = [(premise, sentence) for sentence in hypotheses for premise in said]
    settled = {pair: said[pair[0]] == normalise(pair[1]) for pair in pairs}
    asked = [pair for pair in dict.fromkeys(pairs) if said[pair[0]] is not None and not settled[pair]]
    found = np.array([astuple(each) for each in await inquiry.entail(asked)]).reshape(-1, 3)
    judged = dict(zip(asked, luq(found).tolist(), strict=True))
    return np.array(
        [[judged.get((premise, each), float(settled[premise, each])) for premise in samples] for each in hypotheses]
    )
