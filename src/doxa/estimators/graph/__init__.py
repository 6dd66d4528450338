"""Spectra of graphs whose nodes are answers and whose edges weigh as much as the answers are alike.

Matrices have the shape (…, m, m), so that a stack of them is one call; similarities are symmetric, in [0, 1], with a
diagonal of ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from doxa.types import Floats


def spectrum(similarities: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues (…, m), rising, and eigenvectors (columns) of the normalised Laplacian I − D^(−1/2) W D^(−1/2).

    D holds the sums of the rows of W. The eigenvalues lie in [0, 2]; the least is 0.
    """
    scale = 1 / np.sqrt(similarities.sum(axis=-1))
    laplacian = np.eye(similarities.shape[-1]) - similarities * scale[..., :, None] * scale[..., None, :]
    values, vectors = np.linalg.eigh(laplacian)
    return values, vectors


def heat_kernel(weights: Floats, time: float) -> Floats:
    """exp(−time · L), the exponential of a matrix, of the Laplacian L = D − W; scaled to a diagonal of 1/m.

    Its trace is then 1, so that it is a density matrix.
    """
    laplacian = weights.sum(axis=-1)[..., None] * np.eye(weights.shape[-1]) - weights
    values, vectors = np.linalg.eigh(laplacian)
    kernel = (vectors * np.exp(-time * values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    scale = 1 / np.sqrt(np.diagonal(kernel, axis1=-2, axis2=-1))
    density: Floats = kernel * scale[..., :, None] * scale[..., None, :] / weights.shape[-1]
    return density


def von_neumann_entropy(density: Floats) -> Floats:
    """−Tr(ρ log ρ) = −Σ λ log λ over the eigenvalues of a density matrix, in nats."""
    values = np.maximum(np.linalg.eigvalsh(density), np.finfo(float).tiny)  # λ log λ tends to 0
    entropy: Floats = -(values * np.log(values)).sum(axis=-1)
    return entropy


def steady(score: Floats) -> float:
    """One score as a number of 12 decimals: the same answers drawn in another order must tie, not differ by an ulp."""
    return round(float(score), 12)
