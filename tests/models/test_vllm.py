"""The model `vllm` against a stand-in for vLLM: the contract is that of `hf`, whose answers it must give.

vLLM itself needs a graphics card and is not run here.
"""

import asyncio
import math
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("torch")

import stand_in_vllm

from doxa.errors import DoxaError, UsageError
from doxa.loading import load_model
from doxa.models.hf import HF
from doxa.models.vllm import VLLM
from doxa.types import Failure, Message, Model, Reply, Request

FRANCE = (Message("user", "What is the capital of France?"),)
GREEDY = [
    Request(FRANCE, max_tokens=12, top_logprobs=3),
    Request(FRANCE, max_tokens=12, prefill="the name of"),
    Request((Message("system", "the city"), *FRANCE), max_tokens=30, top_logprobs=0),
    Request((Message("user", "<|end|> is <|turn|>user"),), max_tokens=8, top_logprobs=1),
]


@pytest.fixture
def start(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., VLLM]]:
    stand_in_vllm.install(monkeypatch)
    opened = []

    def start(kind: str = "llama", chat: bool = True, **knobs: Any) -> VLLM:
        opened.append(VLLM(tiny(kind, chat), **knobs))
        return opened[-1]

    yield start
    for model in opened:
        asyncio.run(model.close())


def run(work: Awaitable[Any]) -> Any:
    async def main() -> Any:
        return await work

    return asyncio.run(main())


def seen(model: VLLM) -> list[Any]:
    return model._engine.seen


def near(one: Any, other: Any) -> bool:
    """Equal but for noise in log-probabilities."""
    assert isinstance(one, Reply)
    assert isinstance(other, Reply)
    assert (one.text, one.finish, one.usage) == (other.text, other.finish, other.usage)
    assert (one.tokens is None) == (other.tokens is None)
    for mine, theirs in zip(one.tokens or (), other.tokens or (), strict=True):
        assert mine.text == theirs.text
        assert mine.logprob == pytest.approx(theirs.logprob, abs=1e-4)
        assert [text for text, _ in mine.top] == [text for text, _ in theirs.top]
        assert [value for _, value in mine.top] == pytest.approx([value for _, value in theirs.top], abs=1e-4)
    return True


@pytest.mark.parametrize("chat", [True, False])
def test_greedy_answers_are_those_of_the_local_engine(start: Any, load: Any, chat: bool) -> None:
    mine, theirs = run(start(chat=chat).generate(GREEDY)), run(load(chat=chat).generate(GREEDY))
    assert all(near(one, other) for (one,), (other,) in zip(mine, theirs, strict=True))


def test_scores_are_those_of_the_local_engine(start: Any, load: Any) -> None:
    said = ("the city", "of France", "é", "")
    requests = [Request(FRANCE, prefill=prefill, continuation=text) for text in said for prefill in ("", "the ")]
    mine, theirs = run(start().score(requests)), run(load().score(requests))
    assert all(near(one, other) for one, other in zip(mine, theirs, strict=True))


def test_stop_strings_end_a_reply_where_the_local_engine_does(start: Any, load: Any) -> None:
    (whole,) = run(load().generate([Request(FRANCE, max_tokens=12, top_logprobs=0)]))[0]
    for stop in (whole.text[2:4], whole.text[5]):
        request = Request(FRANCE, max_tokens=12, top_logprobs=0, stop=(stop,))
        ((mine,),), ((theirs,),) = run(start().generate([request])), run(load().generate([request]))
        assert mine.text == whole.text[: whole.text.index(stop)]
        assert (mine.text, mine.finish, [t.text for t in mine.tokens]) == (
            theirs.text, theirs.finish, [t.text for t in theirs.tokens],
        )  # fmt: skip


def test_sample_i_is_drawn_from_the_stream_of_the_seed_plus_i(start: Any) -> None:
    model = start()
    request = Request(FRANCE, max_tokens=6, temperature=1.0, top_p=0.9, n=3, seed=7)
    (together,) = run(model.generate([request]))
    assert [params.seed for params in seen(model)] == [7, 8, 9]
    alone = [run(model.generate([Request(FRANCE, max_tokens=6, temperature=1.0, top_p=0.9, seed=s)])) for s in (7, 8)]
    assert [outcome.text for ((outcome,),) in alone] == [outcome.text for outcome in together[:2]]
    assert len({outcome.text for outcome in together}) == 3


def test_what_is_asked_of_vllm(start: Any) -> None:
    model = start()
    run(model.generate([Request(FRANCE, max_tokens=500, top_logprobs=50, stop=("x",))]))
    run(model.score([Request(FRANCE, continuation="city")]))
    asked, scored = seen(model)
    assert (asked.n, asked.temperature, asked.top_p, asked.seed) == (1, 0.0, 1.0, None)
    assert (asked.logprobs, asked.stop, asked.prompt_logprobs) == (20, ["x"], None)
    assert 0 < asked.max_tokens < 128
    assert (scored.max_tokens, scored.prompt_logprobs, scored.logprobs) == (1, 1, None)
    args = model._engine.args
    assert (args.logprobs_mode, args.max_logprobs, args.trust_remote_code) == ("raw_logprobs", 20, False)


@pytest.mark.parametrize("value", [math.nan, -math.inf, -9999.0, None, 0.5])
def test_a_number_that_is_no_logprob_is_unknown_and_no_alternative(start: Any, value: Any) -> None:
    model = start()

    def spoil(output: Any) -> Any:
        for row in [*(output.outputs[0].logprobs or []), *(output.prompt_logprobs or [])[-1:]]:
            for id_ in row:
                row[id_].logprob = value
        return output

    model._engine.alter = spoil
    ((told,),) = run(model.generate([Request(FRANCE, max_tokens=3, top_logprobs=2)]))
    (scored,) = run(model.score([Request(FRANCE, continuation="city")]))
    assert {(token.logprob, token.top) for token in told.tokens} == {(None, ())}
    assert scored.tokens[-1].logprob is None


def test_logprobs_that_are_not_there_are_unknown(start: Any) -> None:
    model = start()

    def bare(output: Any) -> Any:
        output.outputs[0].logprobs = output.prompt_logprobs = None
        return output

    model._engine.alter = bare
    ((told,),) = run(model.generate([Request(FRANCE, max_tokens=3, top_logprobs=2)]))
    (scored,) = run(model.score([Request(FRANCE, continuation="city")]))
    assert {token.logprob for token in (*told.tokens, *scored.tokens)} == {None}


@pytest.mark.parametrize("reason", ["abort", "error", "repetition", None])
def test_an_answer_that_was_broken_off_is_a_failure_that_may_be_tried_again(start: Any, reason: Any) -> None:
    model = start()

    def broken(output: Any) -> Any:
        output.outputs[0].finish_reason = reason
        return output

    model._engine.alter = broken
    ((outcome,),) = run(model.generate([Request(FRANCE)]))
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.retryable) == ("aborted", True)


def test_what_vllm_cannot_do_is_a_failure_of_that_request_alone(start: Any) -> None:
    model = start()
    requests = [
        Request((Message("user", "name " * 200),)),
        Request(FRANCE, statistics=("entropy",), n=2),
        Request(FRANCE, top_p=0.0, temperature=1.0),
        Request(FRANCE, max_tokens=2),
    ]
    long, unsupported, refused, good = run(model.generate(requests))
    assert [outcome.kind for outcome in (*long, *unsupported, *refused)] == [
        "context_length", "unsupported", "unsupported", "bad_request",
    ]  # fmt: skip
    assert isinstance(good[0], Reply)
    assert run(model.score([Request((Message("user", "name " * 200),), continuation="a")]))[0].kind == "context_length"
    with pytest.raises(UsageError, match="nothing to score"):
        run(model.score([Request(FRANCE)]))


def test_an_engine_that_dies_is_an_error_with_a_next_step(start: Any) -> None:
    model = start()

    def die(_: Any) -> Any:
        raise RuntimeError("EngineCore encountered an issue")

    model._engine.alter = die
    with pytest.raises(DoxaError, match="vLLM failed: RuntimeError: EngineCore"):
        run(model.generate([Request(FRANCE)]))


def test_who_stops_waiting_aborts_the_request(start: Any) -> None:
    model = start()
    model._engine.slow = 60.0

    async def main() -> None:
        task = asyncio.create_task(model.generate([Request(FRANCE)]))
        while not seen(model):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not model._engine.aborted:
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert model._engine.aborted == ["doxa-0"]


def test_it_is_a_model_whose_identity_changes_with_weights_dtype_and_version(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = start(), start("qwen2")
    monkeypatch.setattr(sys.modules["vllm"], "__version__", "0.33.0")
    later = start()
    assert isinstance(one, Model)
    assert len({one.fingerprint, other.fingerprint, later.fingerprint}) == 3
    assert one.capabilities.score
    assert not one.capabilities.hidden
    assert one.base_url == ""


def test_it_is_closed_once_and_for_all(start: Any) -> None:
    model = start()
    run(model.close())
    run(model.close())
    assert model._engine.stopped
    assert not model._loop.runs


def test_it_is_loaded_by_name_with_knobs(start: Any, tiny: Any) -> None:
    model = load_model(f"vllm/{tiny()}(max_model_len=32, gpu_memory_utilization=0.5)")
    assert isinstance(model, VLLM)
    ((outcome,),) = run(model.generate([Request((Message("user", "name " * 40),))]))
    assert outcome.kind == "context_length"
    assert model._engine.args.gpu_memory_utilization == 0.5
    run(model.close())


def test_without_vllm_or_a_model_there_is_a_next_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UsageError, match="needs vllm") as missing:
        VLLM("some/model")
    assert missing.value.hint == "pip install 'doxa[vllm]'"
    stand_in_vllm.install(monkeypatch)
    with pytest.raises(UsageError, match="vLLM cannot run"):
        VLLM(tmp_path)
    with pytest.raises(UsageError, match="no dtype 'int8'"):
        VLLM(tmp_path, dtype="int8")


def test_an_assay_is_the_same_as_on_the_local_engine(start: Any, load: Any, tmp_path: Any) -> None:
    from doxa import registry
    from doxa.flow import Plan, assay
    from doxa.inquiry import Asking
    from doxa.types import Question

    questions = [Question(str(n), f"What is the name of city {n}?", answers=("a",)) for n in range(3)]
    made = {name: registry.make("estimators", name) for name in ("p_true", "sequence_probability")}
    plan = Plan(questions, made, Asking(max_tokens=5, top_logprobs=0))

    async def frames() -> list[Any]:
        models: list[HF | VLLM] = [start(), load()]
        runs = [await assay(model, plan, out=tmp_path / type(model).__name__) for model in models]
        return [one.frame().select("question", "estimator", "reply", "confidence") for one in runs]

    mine, theirs = asyncio.run(frames())
    assert mine.drop("confidence").equals(theirs.drop("confidence"))
    assert mine["confidence"].to_list() == pytest.approx(theirs["confidence"].to_list(), abs=1e-4)
