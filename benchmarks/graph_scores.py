"""The three graph scores of a stack of similarity matrices at once beside a loop over the matrices, in one run.

python benchmarks/graph_scores.py [MATRICES] [ANSWERS]

The loop does per matrix and score what its formula says with numpy and scipy, as the scores are usually written.
Prints the best of three times, their ratio and the largest difference.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from scipy.linalg import eigh

from doxa.estimators.degree_similarity import degree_similarity
from doxa.estimators.eccentricity import eccentricity
from doxa.estimators.graph import spectrum
from doxa.estimators.laplacian_eigenvalues import laplacian_eigenvalues


def at_once(stack):
    values, vectors = spectrum(stack)
    return degree_similarity(stack), eccentricity(values, vectors), laplacian_eigenvalues(values)


def one_by_one(stack):
    return [[score(alike) for alike in stack] for score in (degree, norm, eigenvalues)]


def laplacian(alike):
    root = np.linalg.inv(np.sqrt(np.diag(alike.sum(axis=1))))
    return np.eye(len(alike)) - root @ alike @ root


def degree(alike):
    return np.trace(np.diag(alike.sum(axis=1))) / len(alike) ** 2


def norm(alike):
    values, vectors = eigh(laplacian(alike))
    return np.linalg.norm([np.linalg.norm(vector - vector.mean()) for vector in vectors[:, values < 0.9].T])


def eigenvalues(alike):
    return sum(max(0, 1 - value) for value in eigh(laplacian(alike), eigvals_only=True))


def timed(what, stack):
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        found = what(stack)
        seconds.append(time.perf_counter() - start)
    return min(seconds), np.array(found)


def main() -> None:
    given = [int(text) for text in sys.argv[1:]]
    count, answers = (*given, *(10_000, 10)[len(given) :])
    half = np.triu(np.random.default_rng(0).random((count, answers, answers)), 1)
    stack = half + half.swapaxes(-1, -2) + np.eye(answers)
    fast, found = timed(at_once, stack)
    slow, expected = timed(one_by_one, stack)
    print(f"{count} matrices of {answers} answers, degree, eccentricity and Laplacian eigenvalues together")
    print(f"at once    {fast:7.3f} s")
    print(f"one by one {slow:7.3f} s   x {slow / fast:.1f}   differ by at most {abs(found - expected).max():.0e}")


if __name__ == "__main__":
    main()
