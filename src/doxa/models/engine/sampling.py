"""Drawing tokens: every answer has its own stream of random numbers, which no batch can change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch

BLOCK = 256
"""Tokens per block of the two-level search; only the block that is hit is summed token by token."""


def uniform(seed: int, step: int) -> float:
    """The number in [0, 1) that decides token `step` of the answer with this seed: a hash, so there is no state.

    >>> uniform(7, 0) == uniform(7, 0), uniform(7, 0) == uniform(7, 1)
    (True, False)
    """
    digest = hashlib.blake2b(f"{seed}/{step}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def probabilities(logits: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """Next-token probabilities (rows, vocabulary) at a temperature, restricted to the nucleus and not renormalised.

    The nucleus (Holtzman et al. 2020, arXiv 1904.09751) is the smallest set of likeliest tokens whose mass reaches
    `top_p`; equal probabilities enter by lowest id.
    """
    p = torch.softmax(logits.float() / temperature, dim=-1)
    if top_p >= 1.0:
        return p
    ordered, order = p.double().sort(dim=-1, descending=True, stable=True)
    outside = ordered.cumsum(-1) - ordered >= top_p
    return p.masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), 0.0)


def pick(p: torch.Tensor, draws: Sequence[tuple[int, float]]) -> list[int]:
    """Invert the cumulative distribution of row `row` at `u`, for each (row, u).

    Rows need not sum to 1. Sums are over blocks first, so a draw costs one block and not the vocabulary.
    """
    size = p.shape[-1]
    blocks = torch.nn.functional.pad(p, (0, -size % BLOCK)).view(len(p), -1, BLOCK)
    ends = blocks.sum(-1).double().cumsum(-1).cpu()
    return [_invert(blocks[row], ends[row], u) for row, u in draws]


def _invert(blocks: torch.Tensor, ends: torch.Tensor, u: float) -> int:
    target = u * ends[-1].item()
    block = int(torch.searchsorted(ends, target, right=True).clamp(max=len(ends) - 1))
    inner = blocks[block].double().cumsum(-1).cpu()
    rest = target - (ends[block - 1].item() if block else 0.0)
    # Block sums and token sums may differ in the last digit: never step past the last token that has any mass.
    last = int(torch.searchsorted(inner, inner[-1].item()))
    return block * BLOCK + min(int(torch.searchsorted(inner, rest, right=True)), last)
