"""PCC: how sure the verdict on a claim is, joined with how little reasons for and against it contradict each other."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from doxa import prompts
from doxa.errors import Unavailable, UsageError
from doxa.estimators.meaning.services import provenance
from doxa.inquiry import Inquiry
from doxa.prompts import claims
from doxa.text import yes_no
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.types import Floats

_ALTERNATIVES = 20
"""Likeliest tokens among which words of a verdict are looked for."""
_ROOM = 40
"""Tokens for a reason of one line."""


class Verdict(NamedTuple):
    """What a model says of a claim, and how certain it is: τ."""

    true: bool
    certainty: float


def verdict(top: Sequence[tuple[str, float]]) -> Verdict | None:
    """The verdict of a token's alternatives (text, log-probability), best first; `None` where none is a verdict.

    Certainty is 1 where the two likeliest tokens are of one class, else |p(true) − p(false)|, sums over all tokens that
    say yes or true, and no or false.

    >>> verdict([("Yes", math.log(0.5)), ("No", math.log(0.25)), (" yes", math.log(0.125))])
    Verdict(true=True, certainty=0.375)
    """
    said = [yes_no(text) for text, _ in top]
    p_true, p_false = (
        math.fsum(math.exp(logprob) for (_, logprob), each in zip(top, said, strict=True) if each is side)
        for side in (True, False)
    )
    if len(said) > 1 and said[0] is not None and said[0] is said[1]:
        return Verdict(said[0], 1.0)
    if not p_true and not p_false:
        return None
    return Verdict(p_true >= p_false, min(1.0, abs(p_true - p_false)))


def consistency(contradiction: Floats) -> float:
    """γ: 1 − the mean probability of contradiction; (K, K, 2) is reasons for by reasons against, in both directions."""
    return float(1 - contradiction.mean())


def most_contradictory(contradiction: Floats, support: Sequence[str], against: Sequence[str]) -> tuple[str, str]:
    """The reason for and the reason against of the pair with the largest mean of both directions; the first of equals.

    `contradiction` is as `consistency` takes it.
    """
    place = int(contradiction.mean(-1).argmax())
    return support[place // len(against)], against[place % len(against)]


def harmonic_mean(certainty: float, consistent: float) -> float:
    """2 τ γ / (τ + γ), 0 where both are.

    >>> round(harmonic_mean(0.8, 0.5), 6), round(harmonic_mean(0.9, 0.1), 6)
    (0.615385, 0.18)
    """
    total = certainty + consistent
    return 2 * certainty * consistent / total if total else 0.0


@dataclass(frozen=True)
class Pcc:
    """Harmonic mean of the certainty τ of a verdict on a claim and the consistency γ of reasons for and against it.

    Range [0, 1], higher is surer; for boolean questions only, as other answers are no claims. τ is 1 where the two
    likeliest first tokens of the reply are of one class, else |p(yes) − p(no)|, each summed over the ways to write it.
    `rationales` reasons are drawn why the answer is yes and as many why it is no, and γ is 1 − the mean over all pairs
    of the probability, in both directions, that one contradicts the other. The number is about the method's own answer,
    the likelier verdict. `details` hold τ and γ as `tau` and `gamma`, `evidence` the two reasons, for and against, that
    contradict each other the most. Reasons that are asked for on both sides contradict each other by design, so γ tells
    claims apart rather than how sure one should be. Needs an entailment service. The policy `verification_route`
    decides by both. Wang et al. 2026, Fact-Checking with Large Language Models via Probabilistic Certainty and
    Consistency (arXiv 2601.02574), which does not tell the number of rationales.
    """

    rationales: int = 3
    temperature: float = 1.0

    access: ClassVar[Access] = Access.LOGPROBS
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    implements: ClassVar[tuple[str, ...]] = ("pcc-fact-checking",)
    coverage: ClassVar[str] = "partial: certainty, consistency and their mean; the route is a policy"
    example: ClassVar[str] = "bank:capitals_claims --limit 10 --entailment judge"
    helps: ClassVar[str] = "Where claims are checked, and reasons are at hand only for what is true."
    fails: ClassVar[str] = "Where the model finds reasons for anything: all claims then look alike."

    def __post_init__(self) -> None:
        """Check the number of rationales."""
        if self.rationales < 1:
            raise UsageError(f"{self.rationales} rationales contradict nothing", hint="at least 1 for each side")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Read the verdict, draw the reasons, and have each judged against those of the other side."""
        if inquiry.kind != "boolean":
            raise Unavailable("the answer is no claim that is true or false: ask a question of yes or no")
        rests_on = provenance("contradiction", inquiry)
        found = verdict(await self._first_token(inquiry))
        if found is None:
            raise Unavailable("the reply begins with neither yes nor no")
        reasons = await self._reasons(inquiry)
        contradiction = await self._contradiction(inquiry, *reasons)
        details = {"tau": found.certainty, "gamma": consistency(contradiction)}
        return Confidence(
            harmonic_mean(*details.values()),
            self.scale,
            answer="yes" if found.true else "no",
            details=details,
            provenance=rests_on,
            evidence=most_contradictory(contradiction, *reasons),
        )

    @staticmethod
    async def _first_token(inquiry: Inquiry) -> tuple[tuple[str, float], ...]:
        """The likeliest beginnings of the reply."""
        subject = inquiry.callers.get("subject")
        count = min(_ALTERNATIVES, subject.capabilities.top_logprobs) if subject else 0
        if not count:
            raise Unavailable("the model does not show the alternatives to a token")
        reply = await inquiry.ask(inquiry.messages, max_tokens=1, top_logprobs=count)
        return reply.tokens[0].top if reply.tokens else ()

    async def _reasons(self, inquiry: Inquiry) -> list[list[str]]:
        """Reasons for the claim, and reasons against it."""
        question = prompts.bare(inquiry.messages, inquiry.kind)
        draws = (
            inquiry.draws(asked, self.rationales, temperature=self.temperature, max_tokens=_ROOM, stop=("\n",))
            for asked in (claims.reason(question, supports=side) for side in (True, False))
        )
        texts = [[reply.text.strip() for reply in side] for side in await asyncio.gather(*draws)]
        if not all(text for side in texts for text in side):
            raise Unavailable("the model gave an empty reason")
        return texts

    async def _contradiction(self, inquiry: Inquiry, support: Sequence[str], against: Sequence[str]) -> Floats:
        """Probability that reasons for (K) and against (K) contradict each other, in both directions: (K, K, 2)."""
        import numpy as np

        pairs = [pair for one in support for other in against for pair in ((one, other), (other, one))]
        judged = await inquiry.entail(pairs)
        return np.array([each.contradiction for each in judged]).reshape(self.rationales, self.rationales, 2)
