"""Graph confidence: graphs worked out by hand, brute force as oracle, cycles, ties, very many paths and numbers."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa import prompts
from doxa.errors import UsageError
from doxa.estimators.graph_confidence import SCORES, GraphConfidence, shares
from doxa.estimators.reasoning_graph import Graph, Route, linked, merged
from doxa.estimators.reasoning_graph.scores import (
    acyclic,
    centrality,
    count_paths,
    path_weights,
    sample_paths,
    spectral_radius,
)
from doxa.estimators.reasoning_graph.steps import step_key
from doxa.inquiry import Inquiry, Services, sample_number
from doxa.types import Capabilities, Confidence, Kind, Question, Reply, Request
from services_fake import ENTAILS, FakeEntailer

ALL = 10**9


def routes(*told: str) -> list[Route]:
    """Routes from texts as "ab>X": one letter for each step, then the answer."""
    return [Route(tuple(ord(step) - ord("a") for step in text[:-2]), text[-1]) for text in told]


def alike(*pairs: str) -> np.ndarray:
    """Steps a to e are the same as themselves, and as given by pairs of letters."""
    same = np.eye(5, dtype=bool)
    for one, other in pairs:
        same[ord(one) - 97, ord(other) - 97] = same[ord(other) - 97, ord(one) - 97] = True
    return same


def weights(*told: str, pairs: Sequence[str] = ()) -> tuple[dict[str, int], int]:
    return path_weights(merged(routes(*told), alike(*pairs)))


def convergence(*told: str, longest: int = 12) -> dict[str, int] | None:
    return count_paths(linked(routes(*told), alike()), longest, ALL)


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_path_weights_by_hand() -> None:
    # Steps in common weigh 3; b 2, c 1: 3·2 against 3·1.
    assert weights("ab>X", "ab>X", "ac>Y") == ({"X": 6, "Y": 3}, 0)
    # Two ways to X cross in b: a·b + c·b = 2·2 + 1·2, and to Y a·d = 2·1.
    assert weights("ab>X", "cb>X", "ad>Y") == ({"X": 6, "Y": 2}, 0)
    # Merged by meaning alone: b and c are one step of weight 2.
    assert weights("ab>X", "ac>X", "ad>Y", pairs=["bc"]) == ({"X": 6, "Y": 3}, 0)
    # Nothing in common: votes.
    assert weights("a>X", "b>X", "c>Y") == ({"X": 2, "Y": 1}, 0)
    assert weights(">X", "a>Y") == ({"X": 1, "Y": 1}, 0)


def test_cycles_are_broken_by_the_rule() -> None:
    # Q→a→b→X and Q→b→a→Y: the walk takes a first, so b→a falls. X: a·b + b = 4 + 2, Y: a = 2.
    assert weights("ab>X", "ba>Y") == ({"X": 6, "Y": 2}, 1)
    # With b→a taken twice the walk still begins at the first step most chains take, b: a→b falls.
    assert weights("ab>X", "ba>Y", "ba>Y") == ({"X": 3, "Y": 3 * 3 + 3}, 1)
    # A step that says the same as the one before it leads to itself; that edge falls.
    assert weights("aab>X", "c>Y") == ({"X": 2, "Y": 1}, 1)


def test_convergence_by_hand() -> None:
    # Two chains that share a step: each answer is reached by its own chain and by way of the other.
    assert convergence("ab>X", "ac>Y") == {"X": 2, "Y": 2}
    # Three chains of one same step: to each of its copies 1 + 2 + 2 ways, two of them lead to X.
    assert convergence("a>X", "a>X", "a>Y") == {"X": 10, "Y": 5}
    # In three edges at most: directly, and by one other copy.
    assert convergence("a>X", "a>X", "a>Y", longest=3) == {"X": 6, "Y": 3}
    assert convergence("a>X", "bb>Y", longest=2) == {"X": 1, "Y": 0}
    assert convergence("a>X", "b>Y", longest=1) == {"X": 0, "Y": 0}
    assert convergence(">X", "ab>Y", longest=1) == {"X": 1, "Y": 0}


def test_centrality_by_hand() -> None:
    # Q = 1; each copy of a: x = 1 + α(1 + 2x), so 11/8; X = 1 + 2α·11/8 = 51/40, Y = 1 + α·11/8 = 91/80.
    told = routes("a>X", "a>X", "a>Y")
    values, alpha = centrality(linked(told, alike()), 0.1)
    assert alpha == 0.1
    assert values == pytest.approx({"X": float(Fraction(51, 40)), "Y": float(Fraction(91, 80))}, rel=1e-14)
    assert shares(values)["X"] == pytest.approx(float(Fraction(102, 193)), rel=1e-14)


def test_alpha_shrinks_where_the_series_would_not_converge() -> None:
    # n copies of a step are a clique with λ = n − 1; each copy: x = 1 + α(1 + (n−1) x).
    for copies, used in ((10, Fraction(1, 10)), (11, Fraction(9, 100)), (31, Fraction(9, 300))):
        told = routes(*["a>X"] * (copies - 1), "a>Y")
        values, alpha = centrality(linked(told, alike()), 0.1)
        assert alpha == pytest.approx(float(used), rel=1e-6)
        each = (1 + alpha) / (1 - alpha * (copies - 1))
        assert values == pytest.approx({"X": 1 + alpha * (copies - 1) * each, "Y": 1 + alpha * each}, rel=1e-9)


# -- against oracles ---------------------------------------------------------------------------------------------------

STEPS, ANSWERS = "abcd", "XYZ"
chain_texts = st.builds(lambda steps, answer: f"{steps}>{answer}", st.text(STEPS, max_size=3), st.sampled_from(ANSWERS))
several = st.lists(chain_texts, min_size=1, max_size=4)
sames = st.lists(st.sampled_from(["ab", "ac", "bd", "cd"]), max_size=2)


def edges(graph: Graph) -> set[tuple[int, int]]:
    return {(node, other) for node, following in enumerate(graph.follows) for other in following}


def brute_force(graph: Graph, kept: set[tuple[int, int]], longest: int) -> Mapping[str, list[tuple[int, ...]]]:
    """All paths without a repeated node, as the steps on them: every order of every choice of steps is tried."""
    between = [node for node in range(1, len(graph.follows)) if node not in graph.answers.values()]
    orders = [order for length in range(longest) for order in itertools.permutations(between, length)]
    return {
        answer: [order for order in orders if set(itertools.pairwise((0, *order, end))) <= kept]
        for answer, end in graph.answers.items()
    }


@given(st.lists(chain_texts, min_size=1, max_size=3).filter(lambda told: sum(map(len, told)) <= 12), st.integers(1, 6))
def test_convergence_is_the_number_of_paths(told: list[str], longest: int) -> None:
    graph = linked(routes(*told), alike())
    paths = brute_force(graph, edges(graph), longest)
    assert count_paths(graph, longest, ALL) == {answer: len(found) for answer, found in paths.items()}


@given(several, sames)
def test_path_weights_are_the_sum_over_paths(told: list[str], pairs: list[str]) -> None:
    graph = merged(routes(*told), alike(*pairs))
    kept, order, fallen = acyclic(graph)
    left = {(node, other) for node, following in enumerate(kept) for other in following}
    paths = brute_force(graph, left, len(graph.follows))
    expected = {a: sum(math.prod(graph.weights[n] for n in path) for path in found) for a, found in paths.items()}
    assert path_weights(graph) == (expected, fallen)
    assert all(expected.values())
    assert left <= edges(graph) and len(left) + fallen == len(edges(graph))
    assert all(order.index(node) < order.index(other) for node, other in left)


@given(several, sames, st.sampled_from([0.05, 0.1, 0.3]))
def test_centrality_is_the_sum_of_the_series(told: list[str], pairs: list[str], alpha: float) -> None:
    graph = linked(routes(*told), alike(*pairs))
    values, used = centrality(graph, alpha)
    adjacency = np.zeros((len(graph.follows),) * 2)
    for edge in edges(graph):
        adjacency[edge] = 1
    total = term = np.ones(len(adjacency))
    for _ in range(3000):
        term = used * term @ adjacency
        total = total + term
    assert values == pytest.approx({answer: total[node] for answer, node in graph.answers.items()}, rel=1e-7)


@given(several, sames)
def test_centrality_is_that_of_networkx(told: list[str], pairs: list[str]) -> None:
    networkx = pytest.importorskip("networkx")
    graph = linked(routes(*told), alike(*pairs))
    values, used = centrality(graph, 0.1)
    theirs = networkx.katz_centrality_numpy(networkx.DiGraph(sorted(edges(graph))), alpha=used, normalized=False)
    assert values == pytest.approx({answer: theirs[node] for answer, node in graph.answers.items()}, rel=1e-9)


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_the_spectral_radius_is_the_largest_eigenvalue(size: int, seed: int) -> None:
    matrix = np.random.default_rng(seed).random((size, size))
    matrix = (matrix + matrix.T) * (np.random.default_rng(seed + 1).random() < 0.8)
    assert spectral_radius(matrix) == pytest.approx(max(abs(np.linalg.eigvalsh(matrix))), rel=1e-6)


def test_the_spectral_radius_of_many_cliques_in_a_row_and_of_none() -> None:
    # Twelve cliques of eleven, each leading on to the next: all twelve largest eigenvalues are 10, and defective.
    clique = np.ones((11, 11)) - np.eye(11)
    rows = np.kron(np.eye(12), clique) + np.kron(np.eye(12, k=1), np.eye(11))
    assert spectral_radius(rows) == pytest.approx(10, rel=1e-6) and spectral_radius(rows) >= 10
    assert spectral_radius(np.triu(np.ones((30, 30)), 1)) == 0
    assert spectral_radius(np.zeros((0, 0))) == 0


def test_drawn_paths_estimate_their_number() -> None:
    # Four chains, two of them the same three steps: few enough to count, many enough to miss some.
    told = routes("abc>X", "abc>X", "abd>Y", "aed>Y", "abc>X")
    graph = linked(told, alike())
    counts = count_paths(graph, 12, ALL)
    assert counts is not None and count_paths(graph, 12, 10) is None
    walks = 20_000
    estimates = sample_paths(graph, 12, walks, random.Random(1))
    for answer, number in counts.items():
        assert estimates[answer] / walks == pytest.approx(number, rel=0.1)
    assert estimates == sample_paths(graph, 12, walks, random.Random(1))


# -- the estimator -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Author:
    """A model that writes the next of these chains for every sample."""

    chains: tuple[str, ...]
    capabilities: ClassVar[Capabilities] = Capabilities()

    async def call(self, request: Request) -> Reply:
        return Reply(self.chains[sample_number(request.seed or 0)])


def measured(
    *texts: str, kind: Kind = "number", question: str = "How many?", services: Services | None = None, **knobs: object
) -> Confidence:
    async def work() -> Confidence:
        messages = prompts.render(Question("q", question, kind=kind))
        inquiry = Inquiry("q", messages, {"subject": Author(texts)}, kind, services=services or Services())
        return await GraphConfidence(samples=len(texts), **knobs).estimate(inquiry)  # type: ignore[arg-type]

    return asyncio.run(work())


TWELVE, OTHER = "Step 1: 3 x 4 = 12.\nAnswer: 12", "Step 1: 3 * 4 = 12\nStep 2: 12 + 1 = 13.\nAnswer: 13 plums"


@pytest.mark.parametrize(
    ("score", "value"),
    # Merged: 3 against 3·1. Linked: to each copy of the shared step 5 ways. Katz as above, one step further for 13.
    [
        ("path_weight", Fraction(3, 6)),
        ("path_convergence", Fraction(10, 15)),
        ("centrality", Fraction(51, 40) / (Fraction(51, 40) + 1 + Fraction(1, 10) * (1 + Fraction(11, 80)))),
    ],
)
def test_the_share_of_the_best_answer(score: str, value: Fraction) -> None:
    found = measured(TWELVE, OTHER, TWELVE, score=score)
    assert found.value == pytest.approx(float(value), rel=1e-12)
    assert (found.answer, found.reason, found.provenance) == ("12", "", "normalised")
    assert found.details["readable"] == 3 and found.details["answers"] == 2


@pytest.mark.parametrize("score", SCORES)
def test_one_answer_and_no_answer(score: str) -> None:
    one = measured(TWELVE, "Step 1: I wonder.", "Step 1: Four threes.\nAnswer: 12.0", score=score)
    assert (one.value, one.answer, one.details["readable"]) == (1.0, "12", 2)
    none = measured("Step 1: I wonder.", "Answer: I don't know.", "", score=score)
    assert (none.value, none.answer, none.reason) == (None, None, "no chain has a readable answer")


@pytest.mark.parametrize("score", SCORES)
@given(st.permutations(["ab>1", "ab>2", "cb>1", "ba>3", "d>3", "ab>2"]))
def test_the_order_of_chains_does_not_matter(score: str, told: list[str]) -> None:
    def written(text: str) -> str:
        return "\n".join([*text[:-2], f"Answer: {text[-1]}"])

    def run(order: Sequence[str]) -> Confidence:
        return measured(*map(written, order), score=score, services=Services(FakeEntailer()))

    assert run(told) == run(sorted(told))


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10**400), min_size=1))
def test_shares_sum_to_one(scores: dict[str, int]) -> None:
    if not any(scores.values()):
        with pytest.raises(UsageError, match="above 0"):
            shares(scores)
        return
    found = shares(scores)
    assert math.fsum(found.values()) == pytest.approx(1, abs=1e-12) and all(0 <= s <= 1 for s in found.values())


def test_long_chains_do_not_overflow() -> None:
    way = "\n".join(f"{n} plums." for n in range(1, 600))
    texts = [f"{way}\nAnswer: {answer}" for answer in (1, 1, 1, 1, 1, 1, 2, 2, 2, 2)]
    other = f"{way}\nThat is all.\nAnswer: 1"
    found = measured(*texts, other)
    assert 11**599 > 10**308
    # To 1 straight from the last shared step and by way of one step of weight 1, to 2 once.
    assert (found.value, found.answer) == (pytest.approx(2 / 3, rel=1e-12), "1")
    too_long = measured(*texts, score="path_convergence")
    assert too_long.value is None and too_long.reason == "no chain leads to its answer in 12 edges"


def test_very_many_paths_are_drawn_by_seed_and_that_is_noted() -> None:
    texts = ["Step 1: a.\nStep 2: b.\nStep 3: c.\nAnswer: 1"] * 7 + [
        "Step 1: a.\nStep 2: b.\nStep 3: c.\nAnswer: 2"
    ] * 3
    found = measured(*texts, score="path_convergence")
    assert found == measured(*texts, score="path_convergence")
    # By symmetry each copy of the last step is reached in as many ways: 7 in 10 lead to 1.
    assert found.value == pytest.approx(0.7, abs=0.05)
    assert found.provenance == "normalised, paths estimated from 2,000 drawn"


def test_an_entailment_service_judges_pairs_of_different_chains_both_ways() -> None:
    first, second = (
        "Step 1: Oslo is it.\nStep 2: So Oslo.\nAnswer: Oslo",
        "Step 1: It is the town of Oslo.\nAnswer: Oslo",
    )
    third = "Step 1: I guess.\nAnswer: Bergen"
    question = "What is the capital of Norway?"
    same = [("Oslo is it.", "It is the town of Oslo.")]
    table = {(f"{question} {a}", f"{question} {b}"): ENTAILS for x, y in same for a, b in ((x, y), (y, x))}
    entailer = FakeEntailer(table)
    found = measured(first, second, third, kind="open", question=question, services=Services(entailer))
    # The merged step weighs 2, and leads to Oslo straight and by way of "So Oslo": 2 + 2 against 1.
    assert (found.value, found.answer, found.provenance) == (0.8, "Oslo", "entailment by table")
    asked = {(a.removeprefix(f"{question} "), b.removeprefix(f"{question} ")) for a, b in entailer.asked[0]}
    assert ("So Oslo.", "Oslo is it.") not in asked and len(asked) == len(entailer.asked[0]) == 2 * 5
    near = FakeEntailer(table)
    measured(first, second, third, kind="open", question=question, services=Services(near), reach=0)
    assert len(near.asked[0]) == 2 * 3


def test_signs_of_arithmetic_count() -> None:
    assert step_key("12 - 2 = 10") != step_key("12 / 2 = 10") == step_key("12÷2 = 10.")
    assert step_key("3*4") == step_key("3 × 4") == step_key("3 x 4")


@pytest.mark.parametrize(
    "knobs", [{"score": "votes"}, {"alpha": 0.0}, {"alpha": math.nan}, {"longest": 0}, {"reach": -1}, {"samples": 0}]
)
def test_knobs_that_make_no_sense_are_refused(knobs: dict[str, object]) -> None:
    with pytest.raises(UsageError) as refused:
        GraphConfidence(**knobs)  # type: ignore[arg-type]
    assert refused.value.hint
