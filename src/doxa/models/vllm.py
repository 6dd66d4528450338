"""Models on graphics cards through vLLM, in this process: `vllm/PATH_OR_ID`."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import threading
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from doxa.errors import DoxaError, UsageError
from doxa.models.http.parsing import logprob
from doxa.types import Capabilities, Failure, Outcome, Reply, Request, Token, Usage

if TYPE_CHECKING:
    from doxa.models.engine.templates import Template

_T = TypeVar("_T")
DTYPES = ("auto", "float32", "bfloat16", "float16")
TOP = 20
"""Alternatives per token that vLLM gives unless it is told otherwise."""
_FINISHED = ("stop", "length")


class VLLM:
    """A causal language model on vLLM's engine: a folder of safetensors or a hub id.

    Prompts, prefills and control tokens are those of `hf`, and vLLM is given token ids; so are the texts made from the
    ids it returns. Sample i of a request with `n` > 1 is drawn from the stream of `seed + i`; no seed means seed 0.
    Log-probabilities are those before temperature and nucleus. Unlike with `hf`, an answer may depend on what else is
    in its batch: vLLM does not promise otherwise. There are no statistics, hidden states or other decodings.

    Raises `UsageError` if vLLM is not installed, cannot start, or there is no such model.
    Source: Kwon et al. 2023, arXiv 2309.06180; written for the interface of vLLM 0.32.
    """

    base_url = ""

    def __init__(
        self,
        path: str | Path,
        dtype: str = "auto",
        gpu_memory_utilization: float = 0.9,
        tensor_parallel_size: int = 1,
        max_model_len: int | None = None,
        name: str | None = None,
    ) -> None:
        """Start the engine. The knobs are vLLM's own: share of each card's memory, cards, longest context."""
        if dtype not in DTYPES:
            raise UsageError(f"no dtype {dtype!r}", hint=f"one of {', '.join(DTYPES)}")
        try:
            import vllm
        except ImportError as error:
            raise UsageError(f"vllm/{path} needs {error.name}", hint="pip install 'doxa[vllm]'") from error
        self.name = name or Path(path).name
        self._loop, self._numbers = _Loop(), itertools.count()
        settings: dict[str, Any] = {"model": str(path), "dtype": dtype, "tensor_parallel_size": tensor_parallel_size}
        settings |= {"gpu_memory_utilization": gpu_memory_utilization, "max_model_len": max_model_len}
        settings |= {"logprobs_mode": "raw_logprobs", "max_logprobs": TOP, "trust_remote_code": False}
        try:
            self._template = _template(str(path))
            self._engine = self._loop.wait(_started(settings))
        except Exception as error:  # vLLM fails in as many ways as there are drivers
            self._loop.stop()
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise UsageError(
                f"vLLM cannot run {str(path)!r}: {said[0]}", hint="is it a model, and a card free?"
            ) from error
        self._context = int(self._engine.model_config.max_model_len)
        self._fingerprint = _hash(
            "vllm", vllm.__version__, _identity(str(path), self._engine), str(self._engine.model_config.dtype),
            str(self._template.tokenizer.chat_template),
        )  # fmt: skip

    @property
    def capabilities(self) -> Capabilities:
        """What vLLM's own interface offers."""
        chat = self._template.chat
        return Capabilities(logprobs=True, top_logprobs=TOP, score=True, prefill=True, seed=True, n=True, chat=chat)

    @property
    def fingerprint(self) -> str:
        """A hash of the weights' files (or the hub's revision), the template, the dtype and vLLM's version."""
        return self._fingerprint

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """Answer each request `n` times. A prompt longer than the context is a `Failure` of kind context_length."""
        return list(await asyncio.gather(*(self._answers(request) for request in requests)))

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        """Log-probabilities of each request's `continuation`."""
        for request in requests:
            if request.continuation is None:
                raise UsageError("nothing to score", hint="set Request.continuation")
        return list(await asyncio.gather(*(self._score(request) for request in requests)))

    async def close(self) -> None:
        """Stop the engine and free the cards."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if self._loop.runs:
            self._engine.shutdown()
            self._loop.stop()

    # -- requests ------------------------------------------------------------------------------------------------------

    async def _answers(self, request: Request) -> list[Outcome]:
        asked = {"statistics": request.statistics, "decoding": request.decoding, "tools": request.tools}
        if unknown := ", ".join(name for name, value in asked.items() if value):
            return [Failure("unsupported", f"vLLM has no {unknown}")] * request.n
        return list(await asyncio.gather(*(self._answer(request, number) for number in range(request.n))))

    async def _answer(self, request: Request, number: int) -> Outcome:
        prompt = self._prompt(request, 1)
        if isinstance(prompt, Failure):
            return prompt
        wanted = None if request.top_logprobs is None else min(TOP, max(1, request.top_logprobs))
        drawn = request.temperature > 0
        output = await self._run(
            prompt,
            temperature=request.temperature,
            top_p=request.top_p if drawn else 1.0,
            seed=(request.seed or 0) + number if drawn else None,
            max_tokens=min(request.max_tokens, self._context - len(prompt)),
            stop=[*request.stop, *self._template.stops],
            logprobs=wanted,
        )
        return output if isinstance(output, Failure) else self._reply(request, len(prompt), output.outputs[0])

    async def _score(self, request: Request) -> Outcome:
        ids = self._template.continuation(request)
        prompt = self._prompt(request, len(ids) + 1)
        if isinstance(prompt, Failure):
            return prompt
        if not ids:
            return Reply("", (), "stop", self.name, Usage(1, len(prompt), 0))
        wanted = min(TOP, max(1, request.top_logprobs or 0))
        output = await self._run([*prompt, *ids], temperature=0.0, max_tokens=1, prompt_logprobs=wanted)
        if isinstance(output, Failure):
            return output
        rows = (output.prompt_logprobs or [])[len(prompt) :]
        text, tokens, _ = self._told(request, ids, rows, stops=())
        return Reply(text, tokens, "stop", self.name, Usage(1, len(prompt) + len(ids), 0))

    def _prompt(self, request: Request, further: int) -> list[int] | Failure:
        """Token ids up to where the reply starts, if `further` tokens have room behind them."""
        try:
            prompt = self._template.prompt(request)
        except Exception as error:  # templates are programs of third parties and may refuse a conversation
            return Failure("template", f"the chat template refused the messages: {error}")
        if not prompt or len(prompt) + further > self._context:
            text = f"the prompt has {len(prompt)} tokens, the model's context {self._context}"
            return Failure("context_length", text)
        return prompt

    async def _run(self, prompt: list[int], **sampling: Any) -> Any:
        """vLLM's last word on one prompt, or the failure of this request alone."""
        try:
            return await self._loop.do(_last(self._engine, prompt, f"doxa-{next(self._numbers)}", sampling))
        except ValueError as error:  # so vLLM refuses a request; the engine goes on
            return Failure("bad_request", f"vLLM refused the request: {error}")
        except Exception as error:
            hint = "see what vLLM wrote above; answers so far are kept, and the same command goes on"
            raise DoxaError(f"vLLM failed: {type(error).__name__}: {error}", hint=hint) from error

    # -- replies -------------------------------------------------------------------------------------------------------

    def _reply(self, request: Request, tokens_in: int, output: Any) -> Outcome:
        if output.finish_reason not in _FINISHED:
            return Failure("aborted", f"vLLM ended the answer: {output.finish_reason}", retryable=True)
        ids = list(output.token_ids)
        usage = Usage(1, tokens_in, len(ids))
        if output.finish_reason == "stop" and not isinstance(output.stop_reason, str):
            ids = ids[:-1]  # the end token
        text, tokens, stopped = self._told(request, ids, output.logprobs, (*request.stop, *self._template.stops))
        finish = "stop" if stopped else output.finish_reason
        return Reply(text, None if request.top_logprobs is None else tokens, finish, self.name, usage)

    def _told(
        self,
        request: Request,
        ids: Sequence[int],
        rows: Sequence[Mapping[int, Any] | None] | None,
        stops: Sequence[str],
    ) -> tuple[str, tuple[Token, ...], bool]:
        """Text and tokens of the ids up to the first stop string, and whether there was one."""
        from doxa.models.engine.text import Text

        text = Text(self._template.decode, stops, self._template.lead(request))
        stopped = False
        for place, id_ in enumerate(ids):
            row = rows[place] if rows and place < len(rows) else None
            stopped = text.push(id_, self._token(id_, row or {}, request.top_logprobs or 0))
            if stopped:
                break
        else:
            text.close()
        return text.text, tuple(text.tokens), stopped

    def _token(self, id_: int, row: Mapping[int, Any], top: int) -> Token:
        """The token's log-probability and the `top` likeliest; what is no log-probability is unknown, or left out."""
        known = {other: logprob(entry.logprob) for other, entry in row.items()}
        ranked = sorted(((value, other) for other, value in known.items() if value is not None), reverse=True)
        best = tuple((self._template.piece(other), value) for value, other in ranked[:top])
        return Token("", known.get(id_), best)


class _Loop:
    """An event loop in a thread of its own: the engine's, whichever loop asks."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="doxa-vllm", daemon=True)
        self._thread.start()

    @property
    def runs(self) -> bool:
        """Whether it was not stopped."""
        return not self._loop.is_closed()

    def wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The result of the work, for a caller without a loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def do(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The result of the work; who stops waiting cancels it."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def stop(self) -> None:
        """End it; what is under way ends with it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _started(settings: Mapping[str, Any]) -> Any:
    """The engine, started within the loop that is its home."""
    from vllm import AsyncEngineArgs, AsyncLLMEngine

    return AsyncLLMEngine.from_engine_args(AsyncEngineArgs(**settings))


async def _last(engine: Any, prompt: list[int], name: str, sampling: Mapping[str, Any]) -> Any:
    """The finished output of one request of one answer."""
    from vllm import SamplingParams, TokensPrompt
    from vllm.sampling_params import RequestOutputKind

    params = SamplingParams(n=1, output_kind=RequestOutputKind.FINAL_ONLY, **sampling)
    found = None
    async for output in engine.generate(TokensPrompt(prompt_token_ids=prompt), params, name):
        found = output
    if found is None or not found.finished:
        raise RuntimeError("the engine gave no output")
    return found


def _template(path: str) -> Template:
    import transformers

    from doxa.models.engine.loading import quiet
    from doxa.models.engine.templates import Template

    with quiet():
        return Template(transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=False))


def _identity(path: str, engine: Any) -> str:
    """A hash of the model's files, or its name and revision on the hub."""
    from doxa.models.engine.loading import PATTERNS, digest

    folder = Path(path).expanduser()
    if folder.is_dir():
        return digest(sorted({file for pattern in PATTERNS for file in folder.glob(pattern)}))
    return f"{path}@{getattr(engine.model_config.hf_config, '_commit_hash', None)}"


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
