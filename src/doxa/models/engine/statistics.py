"""What is kept of a full next-token distribution: one number per token, reduced where the distribution lies.

Each function maps log-probabilities at temperature 1, shape (rows, vocabulary), to shape (rows,).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import torch

RENYI_ORDER = 0.5
TEMPERATURE = 2.0
"""Order and softmax temperature at which Darrin et al. 2023 (arXiv 2212.09171) report their divergences."""


def entropy(logp: torch.Tensor) -> torch.Tensor:
    """Shannon entropy in nats, in [0, log V]; lower is surer."""
    return -(logp.exp() * logp.clamp(min=torch.finfo(logp.dtype).min)).sum(-1)


def self_certainty(logp: torch.Tensor) -> torch.Tensor:
    """KL divergence of the model from the uniform distribution, -mean log(V p), >= 0; higher is surer.

    Kang et al. 2025, arXiv 2502.18581.
    """
    return -logp.mean(-1) - math.log(logp.shape[-1])


def renyi(logp: torch.Tensor, order: float = RENYI_ORDER, temperature: float = TEMPERATURE) -> torch.Tensor:
    """Rényi divergence of the tempered distribution from the uniform one, in [0, log V]; higher is surer.

    log(sum p^a V^(a-1)) / (a - 1) with a = `order`. Darrin et al. 2023, arXiv 2212.09171.
    """
    tempered = torch.log_softmax(logp / temperature, -1)
    return torch.logsumexp(order * tempered, -1) / (order - 1) + math.log(logp.shape[-1])


def fisher_rao(logp: torch.Tensor, temperature: float = TEMPERATURE) -> torch.Tensor:
    """Fisher-Rao distance of the tempered distribution to the uniform one over pi, in [0, 1]; higher is surer.

    2/pi arccos(sum sqrt(p / V)). Darrin et al. 2023, arXiv 2212.09171.
    """
    roots = torch.exp(torch.log_softmax(logp / temperature, -1) / 2).sum(-1) / math.sqrt(logp.shape[-1])
    return torch.arccos(roots.clamp(max=1.0)) * 2 / math.pi


def margin(logp: torch.Tensor) -> torch.Tensor:
    """Probability of the likeliest token minus that of the second, in [0, 1]; higher is surer."""
    best = logp.topk(2, dim=-1).values.exp()
    return best[..., 0] - best[..., 1]


_OF_PROBABILITIES: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = MappingProxyType(
    {f.__name__: f for f in (entropy, self_certainty, renyi, fisher_rao, margin)}
)
STATISTICS = (*_OF_PROBABILITIES, "logit_max")
"""Names of all statistics; `logit_max` is the largest raw logit."""


def reduce(names: Iterable[str], logits: torch.Tensor, logp: torch.Tensor) -> dict[str, list[float]]:
    """The named statistics of each row of `logits`, whose log-softmax is `logp`."""
    values = {name: logits.amax(-1) if name == "logit_max" else _OF_PROBABILITIES[name](logp) for name in names}
    return {name: value.tolist() for name, value in values.items()}
