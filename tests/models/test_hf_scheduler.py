"""Callers come and go, loops open and close, things break: nobody waits for ever."""

import asyncio
import subprocess
import sys
import time

import pytest

from doxa.errors import DoxaError, Unavailable, UsageError
from doxa.models.hf import HF
from doxa.types import Failure, Message, Model, Request

pytest.importorskip("torch")


def ask(text="the city", **knobs):
    return Request((Message("user", text),), **knobs)


def test_one_model_serves_several_event_loops(load):
    model = load()
    first = asyncio.run(model.generate([ask()]))
    assert asyncio.run(model.generate([ask()])) == first
    assert isinstance(model, Model)


def test_a_cancelled_caller_disturbs_nobody(load):
    model = load()

    async def main():
        gone = asyncio.create_task(model.generate([ask("a", max_tokens=100)]))
        shared = [asyncio.create_task(model.generate([ask("b", max_tokens=20)])) for _ in range(2)]
        await asyncio.sleep(0.01)
        gone.cancel()
        shared[0].cancel()
        done = await asyncio.gather(gone, *shared, return_exceptions=True)
        again = await model.generate([ask("a", max_tokens=3)])
        return done, again

    (gone, first, second), again = asyncio.run(main())
    assert isinstance(gone, asyncio.CancelledError) and isinstance(first, asyncio.CancelledError)
    assert second[0][0].usage.tokens_out and again[0][0].usage.tokens_out
    passes = -1
    while passes != model.counts.passes:  # what nobody waits for is not computed: the worker falls silent
        passes = model.counts.passes
        time.sleep(0.05)
    assert model.counts.rows < 100


def test_a_loop_that_ends_early_leaves_the_model_usable(load):
    model = load()

    async def impatient():
        await asyncio.wait_for(model.generate([ask(max_tokens=100)]), 0.005)

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    assert asyncio.run(model.generate([ask(max_tokens=2)]))[0][0].finish in ("stop", "length")


def test_an_error_in_the_worker_reaches_every_caller_once(load, monkeypatch):
    model = load()
    network = model._scheduler.network
    monkeypatch.setattr(network, "forward", lambda *_: 1 / 0)

    async def main():
        return await asyncio.gather(*(model.generate([ask(str(i))]) for i in range(5)), return_exceptions=True)

    errors = asyncio.run(main())
    assert all(isinstance(e, DoxaError) and "ZeroDivisionError" in str(e) and e.hint for e in errors)
    monkeypatch.undo()
    assert asyncio.run(model.generate([ask(max_tokens=2)]))[0][0].text is not None


def test_numbers_that_are_none_are_an_error_and_no_answer(load):
    model = load()
    model._scheduler.network.model.model.norm.weight.data.fill_(float("nan"))
    for work in (model.generate([ask(temperature=1.0)]), model.score([ask(continuation="name")])):
        with pytest.raises(DoxaError, match="no number in float32") as failed:
            asyncio.run(work)
        assert "dtype" in failed.value.hint


def test_a_closed_model_says_so(tiny):
    model = HF(tiny(), token_budget=512, threads=1)

    async def main():
        waiting = asyncio.create_task(model.generate([ask(max_tokens=110)]))
        await asyncio.sleep(0.005)
        await model.close()
        return await asyncio.gather(waiting, return_exceptions=True)

    (outcome,) = asyncio.run(main())
    assert isinstance(outcome, DoxaError) and "closed" in str(outcome)
    with pytest.raises(DoxaError, match="closed"):
        asyncio.run(model.generate([ask()]))


def test_a_program_may_end_without_closing_the_model(tiny):
    program = (
        "import asyncio, sys\n"
        "from doxa.models.hf import HF\n"
        "from doxa.types import Message, Request\n"
        "model = HF(sys.argv[1], threads=1)\n"
        "request = Request((Message('user', 'a'),), n=64, temperature=1.0, max_tokens=110)\n"
        "try:\n"
        "    asyncio.run(asyncio.wait_for(model.generate([request]), 0.05))\n"
        "except TimeoutError:\n"
        "    print('gone')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tiny())], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "gone\n", "")


def test_prompts_beyond_the_context_are_failures_with_numbers(load):
    model = load()
    long, short = ask("city " * 130), ask(max_tokens=2)
    (failed,), (fine,) = asyncio.run(model.generate([long, short]))
    assert isinstance(failed, Failure) and failed.kind == "context_length" and "128" in failed.message
    assert fine.text is not None
    (scored,) = asyncio.run(model.score([ask("city", continuation="city " * 130)]))
    assert isinstance(scored, Failure)
    with pytest.raises(Unavailable, match="128"):
        asyncio.run(model.hidden([long], [0]))


def test_an_answer_ends_where_the_context_does(load):
    (reply,) = asyncio.run(load().generate([ask("city", max_tokens=10_000, temperature=1.0, seed=1)]))[0]
    assert reply.usage.tokens_in + reply.usage.tokens_out <= 129
    assert reply.finish in ("stop", "length")


def test_rows_of_any_width_find_room(load):
    model = load(token_budget=100)
    requests = [ask("city " * k, max_tokens=m, seed=1, temperature=1.0, n=3) for k in (1, 40, 3) for m in (2, 40)]
    alone = [asyncio.run(model.generate([r]))[0] for r in requests]
    assert asyncio.run(model.generate(requests)) == alone


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"statistics": ("entropie",)}, "entropie"),
        ({"n": 0}, "n is 0"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
    ],
)
def test_requests_without_meaning_are_refused(knobs, words, load):
    with pytest.raises(UsageError, match=words):
        asyncio.run(load().generate([ask(**knobs)]))


def test_layers_that_do_not_exist_are_refused(load):
    with pytest.raises(UsageError, match="layer 3"):
        asyncio.run(load().hidden([ask()], [3]))


def test_scoring_needs_a_continuation(load):
    with pytest.raises(UsageError, match="nothing to score"):
        asyncio.run(load().score([ask()]))
    (empty,) = asyncio.run(load().score([ask(continuation="")]))
    assert empty.tokens == ()


def test_statistics_stand_on_the_tokens(load):
    model = load()
    names = model.capabilities.statistics
    (reply,) = asyncio.run(model.generate([ask(statistics=names, max_tokens=3)]))[0]
    assert reply.tokens and all(set(t.stats) == set(names) and t.logprob is not None for t in reply.tokens)
    (scored,) = asyncio.run(model.score([ask(continuation=reply.text, statistics=names)]))
    assert set(scored.tokens[0].stats) == set(names)
    (bare,) = asyncio.run(model.generate([ask(max_tokens=3)]))[0]
    assert bare.tokens is None


@pytest.mark.parametrize("path", ["./missing", "/missing/model", "missing.gguf"])
def test_a_wrong_path_is_one_clear_error(path):
    with pytest.raises(UsageError, match="there is no model at") as caught:
        HF(path)
    assert caught.value.hint


def test_a_folder_without_a_model_is_one_clear_error(tmp_path):
    with pytest.raises(UsageError, match="cannot load"):
        HF(tmp_path)


def test_an_unknown_id_offline_is_one_clear_error(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match="cannot load the model 'nobody/nothing'"):
        HF("nobody/nothing")


def test_models_that_are_not_attention_are_refused(tmp_path, tiny):
    import transformers

    config = transformers.MambaConfig(vocab_size=512, hidden_size=16, num_hidden_layers=1, state_size=4)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny()).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="linear_attention"):
        HF(tmp_path)


def test_missing_torch_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError) as caught:
        HF("some/model")
    assert "doxa[local]" in caught.value.hint


def test_the_fingerprint_names_bytes_and_dtype_not_places(tiny, tmp_path, load):
    import shutil

    copy = shutil.copytree(tiny(), tmp_path / "copy")
    assert HF(copy, threads=1).fingerprint == load().fingerprint
    assert HF(copy, dtype="bfloat16", threads=1).fingerprint != load().fingerprint
    assert load("gpt2").fingerprint != load().fingerprint
