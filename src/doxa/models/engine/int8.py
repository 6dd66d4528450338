"""Linear layers in 8-bit integers, for processors: weights rounded once, activations as they come."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn

from doxa.errors import UsageError

LARGEST = 127
"""Codes lie in [-127, 127]: symmetric, so that there is no zero point."""


def codes(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each row as integers and the step they count: `codes * step` is within half a step of the row.

    >>> codes(torch.tensor([[0.0, -2.54, 1.27]]))[0].tolist()
    [[0, -127, 64]]
    """
    step = rows.abs().amax(-1, keepdim=True) / LARGEST
    # A row of zeros has no step: any will do.
    return (rows / torch.where(step == 0, 1, step)).round_().to(torch.int8), step


class Int8Linear(nn.Module):
    """`y = x Wᵀ + b` with a step for each row of W and, at each call, one for each row of x.

    A step for each row of x, not one for all, so that no answer depends on what else is in its batch. The scheme is
    that of LLM.int8() without its outlier columns (Dettmers et al. 2022, arXiv 2208.07339).
    """

    def __init__(self, linear: nn.Linear) -> None:
        """Round the weights of `linear`."""
        super().__init__()
        weight, step = codes(linear.weight.detach().float())
        self.weight, self.step = weight.t(), step.t()
        self.bias = None if linear.bias is None else linear.bias.detach().float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Products of integers are exact; what is lost is lost in rounding."""
        rows, step = codes(x.reshape(-1, x.shape[-1]).float())
        y = torch._int_mm(rows, self.weight).float().mul_(step).mul_(self.step)
        if self.bias is not None:
            y += self.bias
        return y.to(x.dtype).view(*x.shape[:-1], -1)


def to_int8(model: Any) -> None:
    """Replace the linear layers of a model of transformers, but the last, which makes the logits.

    Raises `UsageError` where it has none or is not on the processor.
    """
    if model.device.type != "cpu":
        raise UsageError(f"int8 is for the processor, not for {model.device}", hint="device=cpu, or dtype=bfloat16")
    last = model.get_output_embeddings()
    # Layers of width 1 stay: torch's product of integers is wrong for them.
    found = [
        name
        for name, layer in model.named_modules()
        if type(layer) is nn.Linear and layer is not last and layer.in_features > 1
    ]
    if not found:
        raise UsageError(f"{type(model).__name__} has no linear layers to make int8", hint="leave int8 out")
    for name in found:
        model.set_submodule(name, Int8Linear(cast(nn.Linear, model.get_submodule(name))))
