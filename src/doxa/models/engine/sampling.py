"""Drawing tokens: every answer has its own stream of random numbers, which no batch can change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

SIDE = 256
"""Token ids per stretch: about the root of a vocabulary's size, where the two races are shortest together."""

BELOW_ONE = np.float32(1 - 2.0**-24)
"""The largest number below 1 in single precision."""


def exponentials(seed: int, step: int, size: int) -> NDArray[np.float32]:
    """Independent standard exponential numbers that decide token `step` of the answer with `seed`.

    Bits of a counter-based generator (Philox, Salmon et al. 2011): there is no state, so nothing can shift a stream.

    >>> bool((exponentials(7, 0, 4) == exponentials(7, 0, 4)).all()), bool((exponentials(7, 1, 4) > 0).all())
    (True, True)
    """
    key = (seed % 2**64) << 64 | step
    bits = np.random.Philox(key=key).random_raw(-(-size // 2)).view(np.uint32)[:size]
    uniform = (bits.astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-32)
    # A number that rounds to 1 would never arrive, and something without mass would be drawn if it alone has any.
    times: NDArray[np.float32] = -np.log1p(-np.minimum(uniform, BELOW_ONE))
    return times


def probabilities(logits: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """Next-token probabilities (rows, vocabulary) at a temperature, restricted to the nucleus and not renormalised.

    The nucleus (Holtzman et al. 2020, arXiv 1904.09751) is the smallest set of likeliest tokens whose mass reaches
    `top_p`; equal probabilities enter by lowest id.
    """
    p = torch.softmax(logits if temperature == 1 else logits / temperature, dim=-1)
    if top_p >= 1.0:
        return p
    ordered, order = p.double().sort(dim=-1, descending=True, stable=True)
    outside = ordered.cumsum(-1) - ordered >= top_p
    return p.masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), 0.0)


def pick(p: torch.Tensor, draws: Sequence[tuple[int, int, int]]) -> list[int]:
    """Draw from row `row` of `p` (which need not sum to 1) for each (row, seed, step).

    The tokens race: each arrives after an exponential time divided by its probability, and the first is drawn, which
    happens in proportion to the probabilities. Unlike inverting the cumulative distribution, noise in the last digits
    of `p` changes a draw only where the two first arrive together. Stretches of `SIDE` ids race first, then the tokens
    of the stretch that has won: the odds are the same, and few random numbers are needed.
    """
    count = -(-p.shape[-1] // SIDE)
    stretches = torch.nn.functional.pad(p, (0, count * SIDE - p.shape[-1])).view(len(p), count, SIDE)
    rows = torch.tensor([row for row, _, _ in draws], device=p.device)
    table = np.stack([exponentials(seed, step, count + SIDE) for _, seed, step in draws])
    times = torch.from_numpy(table).to(p.device)
    won = (times[:, :count] / stretches.sum(-1).index_select(0, rows)).argmin(-1)
    first = (times[:, count:] / stretches[rows, won]).argmin(-1)
    return (won * SIDE + first).tolist()
