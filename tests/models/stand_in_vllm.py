"""A stand-in for vLLM, with its names, signatures and habits as its documentation and source of 0.32 state them.

It answers by transformers on the processor, one request at a time. What it imitates, because code may depend on it:
`AsyncLLMEngine.generate` is an async generator that belongs to the loop the engine was started in; with `FINAL_ONLY`
it yields once, finished; `token_ids` hold the end token while the text does not; `logprobs` is one dict a position,
from token id to `Logprob`, with the chosen token even where it is not among the likeliest, or `None` if not asked for;
`prompt_logprobs` starts with `None`; a prompt that leaves no room is a `ValueError`.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

VERSION = "0.32.0"


class RequestOutputKind(Enum):
    CUMULATIVE = 0
    DELTA = 1
    FINAL_ONLY = 2


@dataclass
class SamplingParams:
    n: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: list[str] | None = None
    max_tokens: int | None = 16
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    output_kind: RequestOutputKind = RequestOutputKind.CUMULATIVE

    def __post_init__(self) -> None:
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be in (0, 1], got {self.top_p}.")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}.")
        if self.temperature == 0 and self.n > 1:
            raise ValueError(f"n must be 1 when using greedy sampling, got {self.n}.")


@dataclass
class AsyncEngineArgs:
    model: str
    dtype: str = "auto"
    tensor_parallel_size: int = 1
    gpu_memory_utilization: float = 0.9
    max_model_len: int | None = None
    logprobs_mode: str = "raw_logprobs"
    max_logprobs: int = 20
    trust_remote_code: bool = False


@dataclass
class Logprob:
    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: list[int]
    cumulative_logprob: float | None
    logprobs: list[dict[int, Logprob]] | None
    finish_reason: str | None = None
    stop_reason: int | str | None = None


@dataclass
class RequestOutput:
    request_id: str
    prompt_token_ids: list[int]
    prompt_logprobs: list[dict[int, Logprob] | None] | None
    outputs: list[CompletionOutput]
    finished: bool


def tokens_prompt(**fields: Any) -> dict[str, Any]:
    """`TokensPrompt` is a `TypedDict`."""
    return fields


@dataclass
class AsyncLLMEngine:
    """The engine; `broken` maps the number of a request to what happens to its output."""

    args: AsyncEngineArgs
    seen: list[SamplingParams] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    aborted: list[str] = field(default_factory=list)
    stopped: bool = False
    slow: float = 0.0
    alter: Any = None

    @classmethod
    def from_engine_args(cls, args: AsyncEngineArgs) -> AsyncLLMEngine:
        engine = cls(args)
        engine._start()
        return engine

    def _start(self) -> None:
        import transformers

        self.tokenizer = transformers.AutoTokenizer.from_pretrained(self.args.model)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(self.args.model, dtype=torch.float32).eval()
        longest = self.args.max_model_len or self.model.config.max_position_embeddings
        self.model_config = SimpleNamespace(max_model_len=longest, dtype=torch.float32, hf_config=self.model.config)
        self.home = asyncio.get_running_loop()

    def shutdown(self) -> None:
        self.stopped = True

    async def generate(self, prompt: dict[str, Any], sampling_params: SamplingParams, request_id: str) -> Any:
        assert asyncio.get_running_loop() is self.home, "the output handler runs in another loop"
        assert request_id not in self.names, "two requests of one name"
        assert sampling_params.output_kind is RequestOutputKind.FINAL_ONLY
        self.names.add(request_id)
        self.seen.append(sampling_params)
        ids = prompt["prompt_token_ids"]
        if len(ids) + 1 > self.model_config.max_model_len:
            raise ValueError(f"The decoder prompt (length {len(ids)}) is longer than the maximum model length.")
        for wanted in (sampling_params.logprobs, sampling_params.prompt_logprobs):
            if wanted is not None and wanted > self.args.max_logprobs:
                raise ValueError(f"Requested logprobs of {wanted}, which is greater than max allowed")
        try:
            await asyncio.sleep(self.slow)
        except asyncio.CancelledError:
            self.aborted.append(request_id)
            raise
        output = RequestOutput(request_id, ids, self._prompt_logprobs(ids, sampling_params.prompt_logprobs), [], True)
        output.outputs.append(self._complete(list(ids), sampling_params))
        yield self.alter(output) if self.alter else output

    @torch.inference_mode()
    def _logp(self, ids: list[int]) -> torch.Tensor:
        return torch.log_softmax(self.model(torch.tensor([ids])).logits[0].float(), -1)

    def _row(self, logp: torch.Tensor, chosen: int, count: int) -> dict[int, Logprob]:
        best = logp.topk(count) if count else None
        row = {} if best is None else {int(i): Logprob(float(v), n + 1) for n, (v, i) in enumerate(zip(*best))}  # noqa: B905
        return row if chosen in row else {**row, chosen: Logprob(float(logp[chosen]), count + 1)}

    def _prompt_logprobs(self, ids: list[int], count: int | None) -> Any:
        if count is None:
            return None
        logp = self._logp(ids)
        return [None, *(self._row(logp[i], id_, count) for i, id_ in enumerate(ids[1:]))]

    def _complete(self, ids: list[int], params: SamplingParams) -> CompletionOutput:
        random = torch.Generator().manual_seed(params.seed or 0)
        written: list[int] = []
        rows = []
        finish: tuple[str, str | None] = ("length", None)
        for _ in range(params.max_tokens or 16):
            logp = self._logp(ids + written)[-1]
            drawn = torch.softmax(logp / params.temperature, -1) if params.temperature else None
            chosen = int(logp.argmax() if drawn is None else torch.multinomial(drawn, 1, generator=random))
            written.append(chosen)
            rows.append(self._row(logp, chosen, params.logprobs or 0))
            text = self.tokenizer.decode(written, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            if chosen == self.tokenizer.eos_token_id:
                finish = ("stop", None)
                break
            if found := next((stop for stop in params.stop or [] if stop in text), None):
                finish, text = ("stop", found), text[: text.index(found)]
                break
        logprobs = None if params.logprobs is None else rows
        return CompletionOutput(0, text, written, None, logprobs, *finish)


def install(monkeypatch: Any) -> None:
    """Let `import vllm` find this."""
    module, sampling = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    names = {"AsyncEngineArgs": AsyncEngineArgs, "AsyncLLMEngine": AsyncLLMEngine, "SamplingParams": SamplingParams}
    vars(module).update(names | {"TokensPrompt": tokens_prompt, "__version__": VERSION, "sampling_params": sampling})
    vars(sampling).update({"RequestOutputKind": RequestOutputKind, "SamplingParams": SamplingParams})
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", sampling)
