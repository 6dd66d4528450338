"""Graph confidence: chains of reasoning laid over each other, and how much of the graph leads to each answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, ClassVar

from doxa.errors import UsageError
from doxa.estimators.chains import Chain, chains
from doxa.estimators.meaning.services import shortest
from doxa.estimators.reading import check_samples
from doxa.estimators.reasoning_graph import Route, linked, merged
from doxa.estimators.reasoning_graph.scores import centrality, count_paths, path_weights, sample_paths
from doxa.estimators.reasoning_graph.steps import (
    check_step_equivalence,
    same_steps,
    step_equivalence,
    step_key,
)
from doxa.inquiry import Inquiry, derive_seed
from doxa.text import canonical
from doxa.types import Access, Confidence, Scale

if TYPE_CHECKING:
    from doxa.estimators.meaning import Bools

SCORES = ("path_weight", "path_convergence", "centrality")
_LIMIT, _WALKS = 20_000, 2_000
"""Beginnings of paths up to which paths are counted, and how many are drawn beyond that."""


def shares(scores: Mapping[str, float]) -> dict[str, float]:
    """The scores over their sum, exactly divided; whole numbers may be of any size. Raises `UsageError` for a sum of 0.

    >>> shares({"a": 3 * 10**400, "b": 10**400})
    {'a': 0.75, 'b': 0.25}
    """
    total = sum(map(Fraction, scores.values()))
    if not total:
        raise UsageError("no score is above 0", hint="paths that are long enough have one")
    return {answer: float(Fraction(score) / total) for answer, score in scores.items()}


@dataclass(frozen=True)
class GraphConfidence:
    """Share of an answer in the graph that `samples` chains of reasoning make up, for the answer with the largest.

    Range [0, 1], higher is surer; the answer is the method's own answer. Nodes are the question, the steps and the
    distinct answers; edges lead along each chain. `score` is "path_weight": steps that say the same are one node that
    weighs as much as there were steps, an answer scores the sum over all paths to it of the product of their nodes'
    weights, and edges that close a cycle are left out (those back to a node on the way of a walk from the question that
    goes where more chains go first); "path_convergence": steps of different chains that say the same lead to each
    other, and an answer scores the number of paths to it without a repeated node of at most `longest` edges, drawn
    where there are very many; "centrality": its Katz centrality with `alpha` in that same graph, or with 0.9/λ where
    alpha is not below 1/λ, λ being the graph's spectral radius.

    Steps say the same when their words and signs of arithmetic are equal or, with an entailment service (`equivalence`
    "auto" or "entailment"), when each entails the other; `reach` is how many places apart steps are still compared, any
    by default. Chains without a readable answer are left out; a single answer has confidence 1. Zhang, Shu,
    Shareghi and Collier 2025, All Roads Lead to Rome (arXiv 2509.12908); the judge is the run's, not theirs of 8B.
    """

    score: str = "path_weight"
    samples: int = 10
    temperature: float = 1.0
    equivalence: str = "auto"
    reach: int | None = None
    longest: int = 12
    alpha: float = 0.1

    access: ClassVar[Access] = Access.TEXT
    scale: ClassVar[Scale] = Scale.UNIT
    statistics: ClassVar[tuple[str, ...]] = ()
    open_ended: ClassVar[bool] = True
    implements: ClassVar[tuple[str, ...]] = ("graph-confidence-reasoning",)
    coverage: ClassVar[str] = "full"
    example: ClassVar[str] = "bank:word_problems"
    helps: ClassVar[str] = "Problems of several steps, where chains that agree on the way should count for more."
    fails: ClassVar[str] = "Where chains share no step it counts votes; where they share the last one, not even those."

    def __post_init__(self) -> None:
        """Check the knobs."""
        check_samples(self.samples)
        check_step_equivalence(self.equivalence)
        if self.score not in SCORES:
            raise UsageError(f"no score named {self.score!r}", hint=f"there are: {', '.join(SCORES)}")
        if not 0 < self.alpha < math.inf:
            raise UsageError(f"alpha is {self.alpha}", hint="it is a number above 0")
        if self.longest < 1 or (self.reach is not None and self.reach < 0):
            raise UsageError(f"longest is {self.longest}, reach {self.reach}", hint="at least 1 edge and 0 places")

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Draw the chains, lay them over each other and score their answers."""
        name, rests_on = step_equivalence(self.equivalence, inquiry)
        drawn = await chains(inquiry, self.samples, temperature=self.temperature)
        forms = [canonical(chain.answer or "", inquiry.kind, inquiry.choices) for chain in drawn]
        shown = shortest([chain.answer or "" for chain in drawn], forms)
        shown.pop(None, None)
        counts: dict[str, float | None] = {"readable": sum(f is not None for f in forms), "answers": len(shown)}
        if not shown:
            return Confidence(None, self.scale, "no chain has a readable answer", details=counts)
        if len(shown) == 1:
            return Confidence(1.0, self.scale, answer=next(iter(shown.values())), details=counts, provenance=rests_on)
        routes, same = await _laid_out(name, inquiry, drawn, forms, self.reach)
        scores, details, how = self._scores(routes, same, Random(derive_seed(inquiry.asking.seed, inquiry.id, "paths")))
        if not any(scores.values()):
            why = f"no chain leads to its answer in {self.longest} edges"
            return Confidence(None, self.scale, why, details=counts | details)
        share = shares(scores)
        best = max(sorted(share), key=share.__getitem__)
        value, rests_on = share[best], rests_on + how
        return Confidence(value, self.scale, answer=shown[best], details=counts | details, provenance=rests_on)

    def _scores(
        self, routes: Sequence[Route], same: Bools, random: Random
    ) -> tuple[Mapping[str, float], dict[str, float | None], str]:
        """The score of each answer, what else there is to tell of it, and how it was come by if that can differ."""
        if self.score == "path_weight":
            weights, fallen = path_weights(merged(routes, same))
            return weights, {"edges_left_out": fallen}, ""
        graph = linked(routes, same)
        if self.score == "centrality":
            values, alpha = centrality(graph, self.alpha)
            return values, {"alpha": alpha}, ""
        counts = count_paths(graph, self.longest, _LIMIT)
        if counts is None:
            return sample_paths(graph, self.longest, _WALKS, random), {}, f", paths estimated from {_WALKS:,} drawn"
        return counts, {}, ""


async def _laid_out(
    name: str, inquiry: Inquiry, drawn: Sequence[Chain], forms: Sequence[str | None], reach: int | None
) -> tuple[list[Route], Bools]:
    """The chains that have an answer as routes, and which of their distinct steps are the same.

    Both in an order that does not depend on that of the chains, so that nothing does.
    """
    keys = [[key for step in chain.steps if (key := step_key(step))] for chain in drawn]
    told = sorted((steps, form) for steps, form in zip(keys, forms, strict=True) if form is not None)
    wording = [step for chain, form in zip(drawn, forms, strict=True) if form is not None for step in chain.steps]
    worded = shortest(wording, [step_key(step) for step in wording])
    texts = {key: worded[key] for key in sorted({key for steps, _ in told for key in steps})}
    same = await same_steps(name, inquiry, texts, [steps for steps, _ in told], reach)
    number = {key: place for place, key in enumerate(texts)}
    return [Route(tuple(number[key] for key in steps), form) for steps, form in told], same
