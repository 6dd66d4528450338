"""Chains of reasoning as one graph that leads from the question over their steps to the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from doxa.estimators.meaning import partition

if TYPE_CHECKING:
    from doxa.estimators.meaning import Bools

QUESTION = 0
"""The node every path starts at."""


class Route(NamedTuple):
    """One chain: its steps as numbers of distinct steps, and the answer it ends in."""

    steps: tuple[int, ...]
    answer: str


class Graph(NamedTuple):
    """A directed graph: node 0 is the question, nothing follows an answer."""

    follows: tuple[tuple[int, ...], ...]
    """The nodes that follow each node."""
    answers: Mapping[str, int]
    """The node of each answer."""
    weights: tuple[int, ...]
    """How many steps each node was merged from; 1 for the question and the answers."""


def linked(routes: Sequence[Route], same: Bools) -> Graph:
    """Every step of every route a node of its own; steps of different routes that are the same lead to each other."""
    steps = [step for route in routes for step in route.steps]
    owner = np.repeat(np.arange(len(routes)), [len(route.steps) for route in routes])
    answers = _answers(routes, 1 + len(steps))
    pairs = np.argwhere(same[np.ix_(steps, steps)] & (owner[:, None] != owner))
    edges, first = [(1 + one, 1 + other) for one, other in pairs.tolist()], 1
    for route in routes:
        edges += _trail([*range(first, first + len(route.steps)), answers[route.answer]])
        first += len(route.steps)
    return _graph(edges, answers, [1] * len(steps))


def merged(routes: Sequence[Route], same: Bools) -> Graph:
    """Steps that are the same are one node, which weighs as much as there were steps.

    Of the nodes that follow a node those come first that more routes go on to. There may be cycles.
    """
    firsts = partition(same)
    node = {first: number for number, first in enumerate(dict.fromkeys(firsts), start=1)}
    answers = _answers(routes, 1 + len(node))
    sizes = Counter(node[firsts[step]] for route in routes for step in route.steps)
    edges = [
        edge
        for route in routes
        for edge in _trail([*(node[firsts[step]] for step in route.steps), answers[route.answer]])
    ]
    return _graph(edges, answers, [sizes[number] for number in node.values()])


def _answers(routes: Sequence[Route], first: int) -> dict[str, int]:
    return {answer: first + place for place, answer in enumerate(sorted({route.answer for route in routes}))}


def _trail(nodes: Sequence[int]) -> list[tuple[int, int]]:
    """The edges of one route, from the question on."""
    return list(zip([QUESTION, *nodes], nodes, strict=False))


def _graph(edges: Iterable[tuple[int, int]], answers: Mapping[str, int], weights: Sequence[int]) -> Graph:
    taken = Counter(edges)
    follows: list[list[int]] = [[] for _ in range(1 + len(weights) + len(answers))]
    for one, other in sorted(taken, key=lambda edge: (-taken[edge], edge)):
        follows[one].append(other)
    return Graph(tuple(map(tuple, follows)), answers, (1, *weights, *(1 for _ in answers)))
