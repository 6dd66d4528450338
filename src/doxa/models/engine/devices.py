"""Where a model runs, and how much of it there is."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch

from doxa.errors import UsageError
from doxa.models.engine.cache import Shape

KINDS = ("cpu", "cuda", "mps")
USUAL = 16384
"""Tokens of cache on a processor."""
AMPLE = 32768
"""The same where they take at most a `SHARE` of the machine's memory; twice the rows a step make it a sixth faster."""
SHARE = 1 / 6
MOST = 262_144
"""Tokens of cache on a graphics card: enough rows to keep it busy."""


def device(name: str) -> torch.device:
    """The device of that name; `auto` is the first CUDA device, else the processor.

    Raises `UsageError` for one that is not here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(name)
    except RuntimeError:
        found = torch.device("meta")
    if found.type not in KINDS:
        raise UsageError(f"no device {name!r}", hint="auto, cpu, cuda, cuda:1 (the second card) or mps")
    if found.type == "cuda":
        there = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (found.index or 0) >= there:
            said = f"torch sees {there} CUDA device{'s' * (there != 1)}" if there else "torch sees no CUDA device"
            raise UsageError(f"{said}, so there is no {name}", hint="device=auto takes what there is")
    if found.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("torch sees no Apple GPU, so there is no mps", hint="device=auto takes what there is")
    return found


def tokens_that_fit(where: torch.device, shapes: Sequence[Shape], dtype: torch.dtype) -> int:
    """Tokens of cache for a device: on a CUDA card what half of its free memory holds, twice over.

    Twice because as much again holds shared prefixes; the other half is for what a pass needs.
    """
    each = sum(heads * width for heads, width in shapes) * dtype.itemsize
    if where.type != "cuda":
        return AMPLE if 2 * AMPLE * each <= SHARE * _memory() else USUAL
    free, _ = torch.cuda.mem_get_info(where)
    return max(1, min(MOST, free // 2 // (2 * each)))


def _memory() -> int:
    """Bytes of the machine's memory; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
