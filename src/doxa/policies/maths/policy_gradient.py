"""The policy gradient of a softmax over what may be done with each chunk of a prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from doxa.errors import DataError
from doxa.metrics.maths.checks import Bools, Floats, Ints

KEEP, MASK, SEND = range(3)
"""What may be done with a chunk: by their number in weights and probabilities, the most private first."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """A prompt in pieces: what is known of each before anything is done, and which private data each holds."""

    features: Floats
    """(chunks, k)"""
    held: Bools
    """(chunks, units): a column for each different piece of private data, also of those that no chunk holds."""

    def __post_init__(self) -> None:
        """Check the shapes."""
        if self.features.ndim != 2 or self.held.ndim != 2 or len(self.features) != len(self.held):
            shapes = f"{self.features.shape} and {self.held.shape}"
            raise DataError(f"features and private data of {shapes}", hint="a row a chunk in both")

    def leaked(self, actions: Ints) -> Floats:
        """Leakage of each row of actions (n, chunks): units in a chunk that is sent, of all units; without any 0."""
        units = self.held.shape[1]
        sent = ((actions == SEND)[:, :, None] & self.held).any(axis=1)
        return np.asarray(sent.sum(axis=1) / max(units, 1))


def width(features: int) -> int:
    """Weights of an action: one a feature, one for the share of a chunk's units that is out already, a constant."""
    return features + 2


def probabilities(weights: Floats, state: Floats) -> Floats:
    """Softmax of weights (3, w) on states (…, w): (…, 3)."""
    logits = state @ weights.T
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def follow(weights: Floats, chunks: Chunks, draws: Floats) -> tuple[Ints, Floats]:
    """What the policy does with each chunk in turn, n times, and the scores ∇ log π of what it did (n, 3, w).

    `draws` (n, chunks) are uniform in [0, 1).
    """

    def draw(place: int, p: Floats) -> Ints:
        return np.asarray(np.minimum((p.cumsum(axis=1) <= draws[:, place, None]).sum(axis=1), SEND))

    actions, _, scores = _walk(weights, chunks, len(draws), draw)
    return actions, scores


def greedy(weights: Floats, chunks: Chunks) -> Ints:
    """The likeliest action for each chunk in turn; of equals the more private."""
    actions, _, _ = _walk(weights, chunks, 1, lambda _, p: np.asarray(p.argmax(axis=1)))
    return np.asarray(actions[0])


def likelihood(weights: Floats, chunks: Chunks, actions: Ints) -> tuple[Floats, Floats]:
    """log π of rows of actions (n, chunks), and its gradient in the weights (n, 3, w)."""
    _, logs, scores = _walk(weights, chunks, len(actions), lambda place, _: actions[:, place])
    return logs, scores


def advantage(rewards: Floats) -> Floats:
    """Each reward less the mean of the others of its prompt (…, n): a baseline that leaves the gradient unbiased."""
    n = rewards.shape[-1]
    if n < 2:
        raise DataError(f"{n} sample of a prompt has no others to be held against", hint="samples=2 or more")
    return np.asarray((rewards - rewards.mean(axis=-1, keepdims=True)) * n / (n - 1))


def gradient(scores: Floats, rewards: Floats) -> Floats:
    """The REINFORCE estimate (3, w) of the gradient of the expected reward: Σ advantage · ∇ log π / n."""
    return np.asarray(np.tensordot(advantage(rewards), scores, axes=1) / len(rewards))


def _walk(
    weights: Floats, chunks: Chunks, n: int, choose: Callable[[int, Floats], Ints]
) -> tuple[Ints, Floats, Floats]:
    """Go from chunk to chunk, n times at once: the actions, their log-probabilities, and the gradients of these."""
    rows, units = np.arange(n), chunks.held.shape[1]
    actions, logs, scores = np.zeros((n, len(chunks.held)), dtype=int), np.zeros(n), np.zeros((n, *weights.shape))
    out = np.zeros((n, units), dtype=bool)
    for place, (known, held) in enumerate(zip(chunks.features, chunks.held, strict=True)):
        already = (out & held).sum(axis=1) / max(held.sum(), 1)
        state = np.column_stack([np.tile(known, (n, 1)), already, np.ones(n)])
        p = probabilities(weights, state)
        chosen = actions[:, place] = choose(place, p)
        logs += np.log(p[rows, chosen])
        scores += (np.eye(3)[chosen] - p)[:, :, None] * state[:, None, :]
        out |= (chosen == SEND)[:, None] & held
    return actions, logs, scores
