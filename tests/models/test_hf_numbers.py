"""Other numbers and other places: int8, half precision, devices, as far as a processor can tell."""

import ast
import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

import doxa.models.engine as engine  # noqa: E402
from doxa.errors import UsageError  # noqa: E402
from doxa.loading import load_model, parts, with_knobs  # noqa: E402
from doxa.models.engine import devices  # noqa: E402
from doxa.models.engine.int8 import Int8Linear, codes, to_int8  # noqa: E402
from doxa.models.engine.scheduler import Scheduler  # noqa: E402
from doxa.models.hf import HF  # noqa: E402
from doxa.types import Message, Reply, Request  # noqa: E402

SOURCES = sorted(Path(engine.__file__).parent.glob("*.py"))
ASKED = [
    Request((Message("user", "What is the capital of France?"),), max_tokens=6, top_logprobs=2, n=3, temperature=1.0),
    Request((Message("user", "the name of the city"),), max_tokens=4, statistics=("entropy",), top_logprobs=0),
]
FORCED = [Request((Message("user", "What is the capital of France?"),), continuation=text) for text in ("city", "name")]


def answers(model: HF) -> list[Any]:
    async def main() -> list[Any]:
        try:
            return [await model.generate(ASKED), await model.score(FORCED)]
        finally:
            await model.close()

    return asyncio.run(main())


def linear(weight: Any, bias: Any = None) -> Int8Linear:
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.weight.data = weight
    if bias is not None:
        layer.bias.data = bias
    return Int8Linear(layer)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(2, 40), st.integers(1, 9))
def test_int8_is_exact_where_nothing_is_lost_by_rounding(seed: int, rows: int, width: int, out: int) -> None:
    draw = np.random.default_rng(seed)
    x, w = draw.integers(-127, 128, (rows, width)), draw.integers(-127, 128, (out, width))
    x[:, 0] = w[:, 0] = 127  # the step is then 1, and every code is the number itself
    given, weight, bias = (torch.tensor(a, dtype=torch.float32) for a in (x, w, draw.integers(-9, 9, out)))
    np.testing.assert_array_equal(linear(weight, bias)(given).numpy(), x @ w.T + bias.numpy())


@given(st.integers(0, 2**32 - 1))
def test_int8_errs_by_no_more_than_half_a_step_a_number(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x, w = draw.normal(size=(4, 33)), draw.normal(size=(5, 33))
    found = linear(torch.tensor(w).float())(torch.tensor(x).float()).numpy()
    half_x, half_w = (np.abs(a).max(1, keepdims=True) / 254 * np.ones_like(a) for a in (x, w))
    bound = half_x @ np.abs(w).T + np.abs(x) @ half_w.T + half_x @ half_w.T
    assert (np.abs(found - x @ w.T) <= bound * 1.001 + 1e-5).all()


def test_a_row_of_int8_does_not_depend_on_the_rows_beside_it() -> None:
    x = torch.randn(6, 16, generator=torch.Generator().manual_seed(1))
    layer = linear(torch.randn(8, 16, generator=torch.Generator().manual_seed(2)))
    x[0] *= 1000
    assert torch.equal(layer(x)[1:], layer(x[1:]))
    assert codes(torch.zeros(1, 3))[0].tolist() == [[0, 0, 0]]


def test_int8_changes_the_layers_but_the_last_and_the_fingerprint(tiny: Any) -> None:
    whole, rounded = (HF(tiny("llama"), token_budget=512, threads=1, int8=int8) for int8 in (False, True))
    assert whole.fingerprint != rounded.fingerprint
    model = rounded._scheduler.network.model
    kinds = [type(layer) for layer in model.modules() if isinstance(layer, torch.nn.Linear | Int8Linear)]
    assert kinds.count(torch.nn.Linear) == 1
    assert kinds.count(Int8Linear) == 2 * 7
    (_, exact), (_, near) = answers(whole), answers(rounded)
    pairs = [(a.tokens[0].logprob, b.tokens[0].logprob) for a, b in zip(exact, near, strict=True)]
    assert all(0 < abs(a - b) < 0.5 for a, b in pairs), pairs


def test_int8_needs_linear_layers_and_a_processor(tiny: Any) -> None:
    with pytest.raises(UsageError, match="no linear layers"):
        HF(tiny("gpt2"), int8=True)
    with pytest.raises(UsageError, match="not for cuda"):
        to_int8(SimpleNamespace(device=torch.device("cuda")))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_answers_nearly_the_same(tiny: Any, dtype: str) -> None:
    whole, half = (HF(tiny("llama"), token_budget=512, threads=1, dtype=kind) for kind in ("float32", dtype))
    assert half._scheduler._table.store.buffers[0].dtype == getattr(torch, dtype)
    assert whole.fingerprint != half.fingerprint
    (_, exact), (drawn, near) = answers(whole), answers(half)
    assert all(isinstance(outcome, Reply) for each in drawn for outcome in each)
    assert [a.tokens[0].logprob for a in exact] == pytest.approx([a.tokens[0].logprob for a in near], abs=0.2)


def test_every_tensor_of_the_engine_is_made_where_the_model_is(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A tensor made without naming a device lands on "meta", which cannot be mixed with the model's nor be read.
    work = Scheduler._work

    def elsewhere(self: Scheduler) -> None:
        with torch.device("meta"):
            work(self)

    expected = answers(HF(tiny("llama"), token_budget=512, threads=1))
    monkeypatch.setattr(Scheduler, "_work", elsewhere)
    assert answers(HF(tiny("llama"), token_budget=512, threads=1)) == expected


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_array_that_becomes_a_tensor_is_moved_to_the_model(path: Path) -> None:
    tree = ast.parse(path.read_text())
    moved = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "to"
    }
    made = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "torch.from_numpy"]
    assert [node.lineno for node in made if id(node) not in moved] == []


def cuda(monkeypatch: pytest.MonkeyPatch, cards: int, free: int = 0) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 2 * free))


def test_auto_takes_the_first_card_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda(monkeypatch, 0)
    assert str(devices.device("auto")) == "cpu"
    cuda(monkeypatch, 2)
    assert str(devices.device("auto")) == "cuda"
    assert str(devices.device("cuda:1")) == "cuda:1"


@pytest.mark.parametrize(
    ("name", "cards", "said"),
    [
        ("cuda", 0, "no CUDA device, so there is no cuda"),
        ("cuda:2", 2, "2 CUDA devices, so there is no cuda:2"),
        ("cuda:1", 1, "1 CUDA device, so there is no cuda:1"),
        ("tpu", 1, "no device 'tpu'"),
        ("meta", 1, "no device 'meta'"),
        ("gpu:a", 1, "no device 'gpu:a'"),
    ],
)
def test_a_device_that_is_not_there_is_named(
    name: str, cards: int, said: str, monkeypatch: pytest.MonkeyPatch, tiny: Any
) -> None:
    cuda(monkeypatch, cards)
    with pytest.raises(UsageError, match=said):
        HF(tiny("llama"), device=name)


def test_mps_is_refused_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no mps"):
        devices.device("mps")


def test_the_cache_takes_half_of_the_free_memory_of_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = [(3, 64)] * 60  # smollm2: 30 layers of keys and values
    for memory, tokens in ((2**40, devices.AMPLE), (2**20, devices.USUAL), (0, devices.USUAL)):
        monkeypatch.setattr(devices, "_memory", lambda memory=memory: memory)
        assert devices.tokens_that_fit(torch.device("cpu"), shapes, torch.float32) == tokens
    cuda(monkeypatch, 1, free=2**30)
    each = 60 * 3 * 64 * 2
    assert devices.tokens_that_fit(torch.device("cuda"), shapes, torch.bfloat16) == 2**30 // 2 // (2 * each)
    cuda(monkeypatch, 1, free=80 * 2**30)
    assert devices.tokens_that_fit(torch.device("cuda"), shapes, torch.bfloat16) == devices.MOST


@pytest.mark.parametrize(
    ("spec", "given", "written"),
    [
        ("smollm2", [], "smollm2"),
        ("smollm2", ["int8=true"], "smollm2(int8=true)"),
        ("smollm2(threads=1)", ["int8=false", "threads=2"], "smollm2(threads=2, int8=false)"),
        ("hf/a/b", ["device=cuda:1", "dtype=bfloat16"], "hf/a/b(device='cuda:1', dtype=bfloat16)"),
        ("hf/a (copy)", ["threads=1"], "hf/a (copy)(threads=1)"),
    ],
)
def test_knobs_are_written_behind_the_name(spec: str, given: list[str], written: str) -> None:
    assert with_knobs(spec, given) == written
    for one in given:
        knob, _, value = one.partition("=")
        assert str(parts(written)[1][knob]).lower() == value


@pytest.mark.parametrize("given", ["int8", "=1", "a b=1", "x="])
def test_a_knob_that_cannot_be_read_is_named(given: str) -> None:
    with pytest.raises(UsageError, match="KEY=VALUE"):
        with_knobs("smollm2", [given])


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("(int8=maybe)", "must be like False"),
        ("(int7=true)", "no knob 'int7'"),
        ("(threads=many)", "threads is 'many'"),
    ],
)
def test_a_knob_that_does_not_fit_is_refused(spec: str, said: str, tiny: Any) -> None:
    with pytest.raises(UsageError, match=said):
        load_model(f"hf/{tiny('llama')}{spec}")


def test_a_run_with_int8_can_be_repeated_by_its_command(tiny: Any, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from doxa.cli.main import app
    from doxa.runs import Run

    words = ["run", "bank:capitals", "--model", f"hf/{tiny('llama')}", "-M", "int8=true", "-M", "threads=1"]
    words += ["--limit", "2", "--estimators", "perplexity", "--max-tokens", "4", "--out", str(tmp_path)]
    runner = CliRunner()
    assert runner.invoke(app, words).exit_code == 0
    info = Run.open(tmp_path).info
    assert info["model"]["spec"].endswith("(int8=true, threads=1)")
    assert runner.invoke(app, ["resume", str(tmp_path)]).exit_code == 0
    assert Run.open(tmp_path).info["calls"] == 0
