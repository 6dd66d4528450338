"""Models on this machine, through transformers and the engine that batches and shares what they compute."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.errors import UsageError
from doxa.types import Capabilities, Outcome, Request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = "engine/2"
"""Part of the fingerprint; changes when the engine would answer the same request differently."""
DTYPES = ("float32", "bfloat16", "float16")
DECODINGS = ("cautious",)


class HF:
    """A local causal language model: a folder of safetensors, a GGUF file or a hub id.

    `token_budget` bounds the cache (rows × width in tokens; as much again holds shared prefixes): it decides speed
    and memory, never answers; unless given it is 16,384, or 32,768 where a sixth of the memory holds both, on a CUDA
    card what half of its free memory holds. `device` is auto (CUDA if there is any, else the processor), cpu, cuda,
    cuda:1 … or mps. `int8` rounds the linear layers and what they are given to 8 bits, on the processor only: faster,
    and other answers.
    A chat model speaks by its template, a base model by a plain question-and-answer form.
    Sample i of a request with `n` > 1 is drawn from the stream of `seed + i`; no seed means seed 0.
    A reply's tokens do not include the end token; a token inside an unfinished character has an empty text.
    With `decoding="cautious"` an unsure model tries up to ten ways on to the next punctuation mark and keeps the
    likeliest (Wang et al. 2025, arXiv 2507.03038); `Usage.tokens_out` counts the others too.

    Raises `UsageError` if there is no such model, it cannot run here, or torch is not installed.
    """

    base_url = ""

    def __init__(
        self,
        path: str | Path,
        token_budget: int | None = None,
        dtype: str = "float32",
        device: str = "auto",
        threads: int | None = None,
        name: str | None = None,
        int8: bool = False,
    ) -> None:
        """Load the model and start its worker thread."""
        if dtype not in DTYPES:
            raise UsageError(f"no dtype {dtype!r}", hint=f"one of {', '.join(DTYPES)}")
        for knob, value in {"token_budget": token_budget, "threads": threads}.items():
            if value is not None and (type(value) is not int or value < 1):
                raise UsageError(f"{knob} is {value!r}", hint="a positive whole number")
        from doxa.models.engine.loading import load

        loaded = load(str(path), dtype, device, int8=int8)
        self.name = name or Path(path).name
        numbers = f"{dtype} int8" if int8 else dtype
        self._fingerprint = _hash(VERSION, loaded.identity, numbers, str(loaded.tokenizer.chat_template))
        self._start(loaded.model, loaded.tokenizer, token_budget, threads or _cores())

    def _start(self, model: Any, tokenizer: object, budget: int | None, threads: int) -> None:
        from doxa.models.engine.devices import tokens_that_fit
        from doxa.models.engine.network import Network
        from doxa.models.engine.scheduler import Scheduler
        from doxa.models.engine.statistics import STATISTICS
        from doxa.models.engine.templates import Template

        network, template = Network(model), Template(tokenizer)
        self.counts = network.counts
        self._depth = network.depth
        budget = budget or tokens_that_fit(model.device, network.shapes, model.dtype)
        self._scheduler = Scheduler(network, template, network.ends | template.ends, budget, self.name, threads)
        self._capabilities = Capabilities(
            logprobs=True, top_logprobs=network.vocabulary, statistics=STATISTICS, score=True, hidden=True,
            layers=network.depth, prefill=True, seed=True, n=True, chat=template.chat, decodings=DECODINGS,
        )  # fmt: skip

    @property
    def capabilities(self) -> Capabilities:
        """Everything: the weights are here."""
        return self._capabilities

    @property
    def fingerprint(self) -> str:
        """A hash of the weights', configuration's and tokenizer's bytes, the template, the dtype and int8."""
        return self._fingerprint

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """Answer each request `n` times. A prompt longer than the context is a `Failure` of kind context_length.

        Raises `UsageError` for a request no model could answer (an unknown statistic, no tokens, cautious decoding at
        temperature 0).
        """
        return await self._ask("generate", requests)

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        """Log-probabilities of each request's `continuation`; those of equal prompts are computed together."""
        for request in requests:
            if request.continuation is None:
                raise UsageError("nothing to score", hint="set Request.continuation")
        return await self._ask("score", requests)

    async def hidden(self, requests: Sequence[Request], layers: Sequence[int]) -> list[NDArray[np.float32]]:
        """Hidden states of each prompt and of its `continuation`, if any: (layers, tokens, dim).

        Layer 0 is the embedding, -1 the last; the continuation's tokens come after as many as the prompt alone has.
        Continuations of equal prompts are computed in one pass.
        Raises `UsageError` for a layer the model does not have, `Unavailable` where they are longer than the context.
        """
        for layer in layers:
            if not -self._depth - 1 <= layer <= self._depth:
                raise UsageError(f"{self.name} has no layer {layer}", hint=f"0 to {self._depth}, or -1 for the last")
        return await self._ask("hidden", requests, tuple(layers))

    async def close(self) -> None:
        """Stop the worker thread."""
        await self._scheduler.close()

    async def _ask(self, kind: str, requests: Sequence[Request], layers: tuple[int, ...] = ()) -> list[Any]:
        from doxa.models.engine.jobs import Job

        for request in requests:
            self._check(request)
        return list(await asyncio.gather(*(self._scheduler.ask(Job(kind, r, layers)) for r in requests)))

    def _check(self, request: Request) -> None:
        known = self._capabilities.statistics
        for name in request.statistics:
            if name not in known:
                raise UsageError(f"no statistic {name!r}", hint=f"there are: {', '.join(known)}")
        for knob in ("n", "max_tokens"):
            if getattr(request, knob) < 1:
                raise UsageError(f"{knob} is {getattr(request, knob)}", hint="at least 1")
        if not (0 <= request.temperature < float("inf") and 0 < request.top_p <= 1):
            given = f"temperature {request.temperature} and top_p {request.top_p}"
            raise UsageError(f"cannot sample with {given}", hint="temperature >= 0 and 0 < top_p <= 1")
        if request.decoding not in (None, *DECODINGS):
            raise UsageError(f"no decoding {request.decoding!r}", hint=f"there is: {', '.join(DECODINGS)}")
        if request.decoding and request.temperature == 0:
            hint = "set a temperature above 0, for example 1"
            raise UsageError(f"{request.decoding} decoding draws tokens, but the temperature is 0", hint=hint)


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
