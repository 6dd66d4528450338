"""What the shape of a graph of reasoning says of each answer: plain mathematics of graphs."""

from __future__ import annotations

import math
from collections import deque
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from doxa.estimators.reasoning_graph import QUESTION, Graph

if TYPE_CHECKING:
    from doxa.types import Floats

_MARGIN = 0.9
"""Of the bound that alpha must stay below, how much is taken when it does not."""


def spectral_radius(adjacency: Floats) -> float:
    """The largest absolute eigenvalue of a matrix without negative entries, from above, to about seven digits.

    By ‖A^k‖^(1/k) for k = 2^30: no number is subtracted, so neither do the many equal eigenvalues of a graph of
    cliques disturb it, nor does it overflow. 0 exactly where there are no cycles.
    """
    power, log = np.array(adjacency, dtype=float), 0.0
    for doubling in range(31):
        norm = float(power.sum(axis=1).max(initial=0.0))
        if norm == 0:
            return 0.0
        power, log = power / norm, log + math.log(norm) / 2**doubling
        power = power @ power
    return math.exp(log)


def centrality(graph: Graph, alpha: float) -> tuple[dict[str, float], float]:
    """Katz centrality of each answer, x_i = 1 + α Σ x_j over the nodes j that lead to i, and the α that was used.

    The sum converges for α below 1/λ, λ being the spectral radius; an α that is not is replaced by 0.9/λ.
    """
    size = len(graph.follows)
    adjacency = np.zeros((size, size))
    for node, following in enumerate(graph.follows):
        adjacency[node, list(following)] = 1
    radius = spectral_radius(adjacency)
    used = _MARGIN / radius if alpha * radius >= 1 else alpha
    values = np.linalg.solve(np.eye(size) - used * adjacency.T, np.ones(size))
    return {answer: float(values[node]) for answer, node in graph.answers.items()}, used


def count_paths(graph: Graph, longest: int, limit: int) -> dict[str, int] | None:
    """How many paths without a repeated node, of at most `longest` edges, lead to each answer.

    `None` when more than `limit` beginnings of paths would have to be looked at.
    """
    ends, far = {node: answer for answer, node in graph.answers.items()}, _distances(graph)
    counts, looked_at = dict.fromkeys(graph.answers, 0), 0
    begun: list[tuple[int, ...]] = [(QUESTION,)]
    while begun:
        trail = begun.pop()
        if trail[-1] in ends:
            counts[ends[trail[-1]]] += 1
            continue
        looked_at += 1
        if looked_at > limit:
            return None
        begun += [(*trail, node) for node in _onward(graph, far, trail, longest)]
    return counts


def sample_paths(graph: Graph, longest: int, walks: int, random: Random) -> dict[str, int]:
    """`walks` times an estimate of what `count_paths` counts, without bias.

    Each walk goes on at random to a node it may go to, until it reaches an answer; it stands for as many paths as the
    product of the numbers of nodes it could choose from (Roberts and Kroese 2007).
    """
    ends, far = {node: answer for answer, node in graph.answers.items()}, _distances(graph)
    totals = dict.fromkeys(graph.answers, 0)
    for _ in range(walks):
        trail: tuple[int, ...] = (QUESTION,)
        stands_for = 1
        while trail[-1] not in ends and (choices := _onward(graph, far, trail, longest)):
            trail, stands_for = (*trail, random.choice(choices)), stands_for * len(choices)
        if trail[-1] in ends:
            totals[ends[trail[-1]]] += stands_for
    return totals


def _onward(graph: Graph, far: list[float], trail: tuple[int, ...], longest: int) -> list[int]:
    """Where a path may go on to: nodes not on it, from which some answer is near enough."""
    return [node for node in graph.follows[trail[-1]] if node not in trail and len(trail) + far[node] <= longest]


def _distances(graph: Graph) -> list[float]:
    """The number of edges from each node to the nearest answer."""
    leads: list[list[int]] = [[] for _ in graph.follows]
    for node, following in enumerate(graph.follows):
        for other in following:
            leads[other].append(node)
    far = [math.inf] * len(graph.follows)
    reached = deque(graph.answers.values())
    for node in reached:
        far[node] = 0
    while reached:
        node = reached.popleft()
        for other in leads[node]:
            if far[other] == math.inf:
                far[other] = far[node] + 1
                reached.append(other)
    return far


def acyclic(graph: Graph) -> tuple[list[list[int]], list[int], int]:
    """The edges left when none closes a cycle, by node; the nodes, each before those that follow it; how many fell.

    The graph is walked from the question, depth first, to the nodes that more routes go on to first; an edge back to a
    node that the walk came by falls. All that could be reached from the question still can.
    """
    kept: list[list[int]] = [[] for _ in graph.follows]
    order, fallen, seen, came_by = [], 0, {QUESTION}, {QUESTION}
    stack = [(QUESTION, iter(graph.follows[QUESTION]))]
    while stack:
        node, following = stack[-1]
        for other in following:
            if other in came_by:
                fallen += 1
                continue
            kept[node].append(other)
            if other not in seen:
                seen.add(other)
                came_by.add(other)
                stack.append((other, iter(graph.follows[other])))
                break
        else:
            stack.pop()
            came_by.discard(node)
            order.append(node)
    return kept, order[::-1], fallen


def path_weights(graph: Graph) -> tuple[dict[str, int], int]:
    """The sum over all paths to each answer of the product of their nodes' weights, and how many edges fell.

    Whole numbers of any size, so that nothing overflows; cycles are broken as `acyclic` does.
    """
    kept, order, fallen = acyclic(graph)
    reached = [0] * len(graph.follows)
    reached[QUESTION] = graph.weights[QUESTION]
    for node in order:
        for other in kept[node]:
            reached[other] += reached[node] * graph.weights[other]
    return {answer: reached[node] for answer, node in graph.answers.items()}, fallen
