"""Logistic regression with a ridge, and targets that keep it finite."""

from __future__ import annotations

import numpy as np

from doxa.metrics.maths.checks import Bools, Floats

EPS = 1e-6
"""Probabilities are clipped to [EPS, 1 - EPS], so that 0 and 1 have a logit."""


def logits(p: Floats) -> Floats:
    """Log-odds of the clipped probabilities."""
    clipped = np.clip(p, EPS, 1 - EPS)
    return np.asarray(np.log(clipped / (1 - clipped)))


def softened(correct: Bools) -> Floats:
    """Platt's targets: (r + 1) / (r + 2) for right and 1 / (w + 2) for wrong answers."""
    right, wrong = int(correct.sum()), int((~correct).sum())
    return np.where(correct, (right + 1) / (right + 2), 1 / (wrong + 2))


def ridge_logistic(features: Floats, target: Floats, ridge: float) -> tuple[Floats, float]:
    """Weights and intercept of least cross-entropy + ridge / 2 · |weights|², the intercept being free.

    Newton steps that are halved until they help; targets strictly between 0 and 1 on average keep it finite.
    """
    from scipy.special import expit, logit

    design = np.column_stack([features, np.ones(len(features))])
    penalty = np.append(np.full(features.shape[1], ridge), 0.0)
    weights = np.zeros(design.shape[1])
    weights[-1] = logit(target.mean())

    def loss(w: Floats) -> float:
        z = design @ w
        return float((np.logaddexp(0, z) - target * z).sum() + penalty @ w**2 / 2)

    for _ in range(100):
        p = expit(design @ weights)
        gradient = design.T @ (p - target) + penalty * weights
        if np.abs(gradient).max() < 1e-10 * len(target):
            break
        curvature = design.T @ (design * (p * (1 - p))[:, None]) + np.diag(penalty + 1e-12)
        step, size = np.linalg.solve(curvature, gradient), 1.0
        while size > 1e-10 and loss(weights - size * step) > loss(weights):
            size /= 2
        weights = weights - size * step
    return weights[:-1], float(weights[-1])


def convex_weights(columns: Floats, target: Floats) -> Floats:
    """Weights of least squared error among those that are not negative and sum to 1.

    With such weights the residual is (columns − target) @ weights, so least squares without negative weights on these
    residuals, with one more row that asks the sum to be 1, finds them up to a factor.
    """
    from scipy.optimize import nnls

    residuals = (columns - target[:, None]) / np.sqrt(len(target))
    triangle = np.linalg.qr(residuals, mode="r")
    asked = np.zeros(len(triangle) + 1)
    asked[-1] = 1.0
    found, _ = nnls(np.vstack([triangle, np.ones(columns.shape[1])]), asked)
    return np.asarray(found / found.sum(), dtype=np.float64)
