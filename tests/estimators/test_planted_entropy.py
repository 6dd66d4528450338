"""Ten samples rank questions as the planted entropy does, whatever a sampling estimator makes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import entropy, spearmanr

import doxa
from doxa import prompts, registry
from doxa.errors import Unavailable
from doxa.estimators.discrete_semantic_entropy import discrete_semantic_entropy
from doxa.inquiry import Asking, Caller, Inquiry, Services
from doxa.models.mock import Mock
from doxa.models.planted.beliefs import beliefs
from doxa.questions.planted import Planted
from doxa.types import Entailment, Estimator

QUESTIONS = Planted(n=500, colours=26).questions()
COLOURS = sorted(beliefs(QUESTIONS[0].text))
PLANTED = [entropy(list(beliefs(question.text).values())) for question in QUESTIONS]

ELSEWHERE = {
    "answer_span_best": "compares final answers that are marked as such; these replies mark none",
    "answer_span_vote": "compares final answers that are marked as such; these replies mark none",
    "cautious_self_consistency": "needs a decoding that only the local engine has",
    "eigen_score": "needs hidden states",
    "mathprompter": "answers sums by formulas and programs",
}
"""Estimators that draw samples, but of something else."""
BY_TEXT = {
    "lexical_similarity": "by words in common",
    "variation_ratio": "by words in common",
    "self_consistency": "by equal normalised answers",
    "hybrid_self_consistency": "by equal normalised answers",
    "monte_carlo_probability": "by the likelihood of each text",
}
"""Estimators that know of no meaning: wordings disturb them."""
WEIGHED = {
    "sar": "by the likelihood of each wording",
    "semantic_density": "by the likelihood of each wording",
}
"""Estimators by meaning in which a wording's likelihood per word also counts: it disturbs them a little."""

SAMPLING = [
    name
    for name in registry.names("estimators")
    if name not in ELSEWHERE and "samples" in {field.name for field in fields(registry.find("estimators", name))}
]


def colour(text: str) -> str:
    """The planted class of an answer, with or without its question before it."""
    words = text.rpartition("?")[2].lower().replace(".", " ").replace(",", " ").split()
    return next((word for word in words if word in COLOURS), "")


class Classes:
    """Both services, which know the planted classes and nothing else."""

    name = "the planted classes"
    fingerprint = "planted"

    async def entail(self, _: Inquiry, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        return [
            Entailment(0.02, 0.08, 0.9) if colour(one) == colour(other) else Entailment(0.9, 0.08, 0.02)
            for one, other in pairs
        ]

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        axes = np.eye(len(COLOURS) + 1, dtype=np.float32)
        return axes[[COLOURS.index(found) if (found := colour(text)) else -1 for text in texts]]


@cache
def rank_correlations(persona: str, n: int) -> dict[str, float]:
    """Of every sampling estimator, minus Spearman's ρ with the planted entropies of n questions."""
    caller, services = Caller(Mock(persona)), Services(Classes(), Classes())
    asking = Asking(top_logprobs=5, statistics=Mock().capabilities.statistics)

    async def values() -> list[list[float]]:
        rows = []
        for question in QUESTIONS[:n]:
            messages = prompts.render(question)
            inquiry = Inquiry(question.id, messages, {"subject": caller}, asking=asking, services=services)
            rows.append([await value(registry.build("estimators", name, samples=10), inquiry) for name in SAMPLING])
        return rows

    async def value(estimator: Estimator, inquiry: Inquiry) -> float:
        found = (await estimator.estimate(inquiry)).value
        assert found is not None, estimator
        return found

    columns = np.array(asyncio.run(values())).T
    return {
        name: -float(spearmanr(column, PLANTED[:n]).statistic) for name, column in zip(SAMPLING, columns, strict=True)
    }


def test_ten_draws_of_the_classes_themselves_allow_it() -> None:
    rng = np.random.default_rng(0)
    drawn = [rng.choice(26, 10, p=list(beliefs(question.text).values())).tolist() for question in QUESTIONS]
    counted = [discrete_semantic_entropy(classes) for classes in drawn]
    assert spearmanr(counted, PLANTED).statistic > 0.93


@pytest.mark.parametrize("name", SAMPLING)
def test_answers_are_ranked_as_the_planted_entropy_does(name: str) -> None:
    assert rank_correlations("honest", len(QUESTIONS))[name] >= 0.9


@pytest.mark.parametrize("name", [name for name in SAMPLING if name not in BY_TEXT])
def test_so_are_answers_in_several_wordings_by_what_knows_their_meaning(name: str) -> None:
    assert rank_correlations("paraphrasing", 200)[name] >= (0.85 if name in WEIGHED else 0.9)


@pytest.mark.parametrize("name", sorted(BY_TEXT))
def test_but_not_by_what_does_not(name: str) -> None:
    assert rank_correlations("paraphrasing", 200)[name] < 0.85


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_others_say_why_they_have_no_number_here(name: str) -> None:
    async def reason() -> str:
        [question] = QUESTIONS[:1]
        inquiry = Inquiry(question.id, prompts.render(question), {"subject": Caller(Mock())})
        try:
            return str((await registry.build("estimators", name).estimate(inquiry)).reason)
        except Unavailable as error:
            return str(error)

    assert asyncio.run(reason())


def test_a_judge_finds_the_classes_that_wordings_hide(tmp_path: Path) -> None:
    questions = doxa.bank("planted", n=60, colours=26)
    knobs = ("entailment", "normalised")
    made = [registry.build("estimators", "discrete_semantic_entropy", equivalence=knob) for knob in knobs]
    run = doxa.assay(Mock("paraphrasing"), questions, estimators=made, entailment="judge", out=tmp_path)
    by_judge, by_text = (run.frame().filter(provenance=name)["confidence"].to_numpy() for name in
                         ("entailment by judge", "normalised"))  # fmt: skip
    planted = [entropy(list(beliefs(question.text).values())) for question in questions]
    assert -spearmanr(by_judge, planted).statistic > 0.9
    assert (by_judge >= by_text).all() and (by_judge - by_text).mean() > 0.3
