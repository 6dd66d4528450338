"""Cautious decoding: the released steps on plain passes, in any batch, within all limits of a request."""

from __future__ import annotations

import asyncio
import time
from itertools import takewhile

import numpy as np
import pytest

from doxa.errors import UsageError
from doxa.models.mock import Mock
from doxa.types import Failure, Message, Request

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from doxa.models.engine import cautious, sampling  # noqa: E402
from doxa.models.engine.jobs import Job  # noqa: E402
from doxa.models.engine.network import Network  # noqa: E402
from doxa.models.engine.scheduler import Scheduler  # noqa: E402

KNOBS = {"temperature": 1.0, "decoding": "cautious"}
WORDS = ["What", "is", "the", "capital", "of", "France", "the", "name", "of", "a", "city"]


def ask(text: str = "the city", **knobs) -> Request:
    return Request((Message("user", text),), **{**KNOBS, **knobs})


def prompts(count: int) -> list[str]:
    return [" ".join(WORDS[i % 5 : 2 + i % 9]) + "?" * (i % 4) + str(i) for i in range(count)]


def generate(model, *requests):
    return [reply for answers in asyncio.run(model.generate(requests)) for reply in answers]


class Plain:
    """The steps of the released code, one sequence at a time, on plain passes with the cache of transformers."""

    def __init__(self, model, tokenizer, request, ends) -> None:
        self.model, self.ends, self.request = model, ends, request
        self.marks = {tokenizer(mark, add_special_tokens=False)["input_ids"][0] for mark in ".,\n?!:;)]}"}
        warpers = [transformers.TemperatureLogitsWarper(request.temperature)]
        self.process = transformers.LogitsProcessorList(
            warpers if request.top_p == 1 else [*warpers, transformers.TopPLogitsWarper(request.top_p)]
        )
        self.computed = 0
        self.cache, self.cached = transformers.DynamicCache(), []

    def p(self, ids):
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self.cached, ids[:-1], strict=False)))
        if shared < len(self.cached):
            self.cache.crop(shared - len(self.cached))
        with torch.inference_mode():
            fresh = torch.tensor([ids[shared:]])
            logits = self.model(fresh, past_key_values=self.cache, use_cache=True).logits[:, -1].float()
        self.cached = ids
        return torch.softmax(self.process(torch.tensor([ids]), logits), -1)[0]

    def draw(self, p, step):
        self.computed += 1
        parts = [p[start : start + sampling.SIDE].numpy() for start in range(0, len(p), sampling.SIDE)]
        times = sampling.exponentials(self.request.seed, step, len(parts) + sampling.SIDE)
        with np.errstate(divide="ignore"):
            won = int((times[: len(parts)] / np.array([part.sum() for part in parts])).argmin())
            return won * sampling.SIDE + int((times[len(parts) :][: len(parts[won])] / parts[won]).argmin())

    def over(self, said):
        return said[-1] in self.ends or len(said) == self.request.max_tokens

    def trial(self, prompt, said, number):
        start, losses = len(said), []
        while not losses or not (self.over(said) or said[-1] in self.marks):
            p = self.p(prompt + said)
            id_ = self.draw(p, number * 2**48 + start * 2**24 + len(said))
            said = [*said, id_]
            losses.append(-float(p[id_].log()))
        return np.exp(np.mean(losses)), said

    def answer(self, prompt):
        said: list[int] = []
        while not said or not self.over(said):
            p = self.p(prompt + said)
            entropy = float(-(p * torch.log(p + 1e-10)).sum())
            count = int(1 + 9 * min(max((entropy - 0.01) / (1.5 - 0.01), 0), 1))
            if count == 1:
                said = [*said, self.draw(p, len(said))]
            else:
                found = [self.trial(prompt, said, number) for number in range(1, count + 1)]
                said = min(found, key=lambda pair: pair[0])[1]
        return said


def check_equal_to_plain(model, requests) -> None:
    scheduler = model._scheduler
    template, network = scheduler.template, scheduler.network
    rejected = 0
    for request, reply in zip(requests, generate(model, *requests), strict=True):
        plain = Plain(network.model, template.tokenizer, request, scheduler.ends)
        said = plain.answer(template.prompt(request))
        assert reply.text == template.decode(said)
        assert reply.finish == ("stop" if said[-1] in scheduler.ends else "length")
        assert reply.usage.tokens_out == plain.computed
        rejected += plain.computed - len(said)
    assert rejected > 0


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_replies_equal_the_released_steps_on_plain_passes(kind, load):
    requests = [ask(t, seed=i, max_tokens=8, temperature=(0.3, 0.6, 1.0)[i % 3]) for i, t in enumerate(prompts(9))]
    check_equal_to_plain(load(kind), [*requests, ask(seed=4, max_tokens=8, top_p=0.8)])


@pytest.mark.local
def test_replies_of_the_embedded_model_equal_the_released_steps_on_plain_passes(smollm2):
    peru, fiji = (f"What is the capital of {country}?" for country in ("Peru", "Fiji"))
    requests = [ask(peru, seed=1, max_tokens=6), ask(fiji, seed=9, max_tokens=6, temperature=1.2, top_p=0.95)]
    check_equal_to_plain(smollm2, requests)


async def answers(model, requests, budget):
    """Answers from the same weights under another token budget."""
    old = model._scheduler
    scheduler = Scheduler(Network(old.network.model), old.template, old.ends, budget, "again", old.threads)
    found = await asyncio.gather(*(scheduler.ask(Job("generate", request)) for request in requests))
    await scheduler.close()
    return found, scheduler.network.counts.peak_rows


def texts(found):
    return [[reply.text for reply in replies] for replies in found]


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_no_batch_changes_an_answer(kind, load):
    requests = [ask(t, seed=s, n=2, max_tokens=8, top_logprobs=0) for t in prompts(8) for s in (1, 9)]
    requests += [ask(t, max_tokens=8, temperature=0.0, decoding=None, top_logprobs=0) for t in prompts(5)]
    requests += [ask(t, max_tokens=8, seed=3, decoding=None, top_logprobs=0) for t in prompts(5)]
    model = load(kind)
    whole = asyncio.run(model.generate(requests))
    for rows in (1, 7, 64):
        found, peak = asyncio.run(answers(model, requests[::-1], rows * 32))
        assert rows // 2 < peak <= rows
        assert texts(found[::-1]) == texts(whole)
        for ours, theirs in zip(whole, found[::-1], strict=True):
            assert [r.usage for r in ours] == [r.usage for r in theirs]
            values = [[t.logprob for r in replies for t in r.tokens] for replies in (ours, theirs)]
            np.testing.assert_allclose(*values, atol=1e-3)


@pytest.mark.local
def test_no_batch_changes_an_answer_of_the_embedded_model(smollm2):
    countries = ("Peru", "Kenya", "Fiji", "Laos")
    requests = [ask(f"What is the capital of {c}?", seed=5, n=2, max_tokens=6) for c in countries]
    whole = texts(asyncio.run(smollm2.generate(requests)))
    for rows, part in ((1, 1), (7, 2), (64, 4)):
        found, peak = asyncio.run(answers(smollm2, requests[:part], rows * 64))
        assert rows // 3 < peak <= rows
        assert texts(found) == whole[:part]


def test_tokens_carry_the_plain_models_log_probabilities_and_statistics(load):
    model = load()
    reply = generate(model, ask(seed=2, max_tokens=12, temperature=0.7, top_logprobs=2, statistics=("entropy",)))[0]
    again = ask(decoding=None, top_logprobs=2, statistics=("entropy",), continuation=reply.text)
    (scored,) = asyncio.run(model.score([again]))
    assert "".join(t.text for t in reply.tokens) == reply.text
    if [t.text for t in scored.tokens] == [t.text for t in reply.tokens]:  # the text may have another tokenisation
        np.testing.assert_allclose([t.logprob for t in reply.tokens], [t.logprob for t in scored.tokens], atol=1e-4)
    assert all(set(t.stats) == {"entropy"} and len(t.top) == 2 for t in reply.tokens)


def test_sure_steps_are_ordinary_steps(load, monkeypatch):
    monkeypatch.setattr(cautious, "LOW", 100.0)
    monkeypatch.setattr(cautious, "HIGH", 101.0)
    requests = [ask(text, seed=5, max_tokens=9, temperature=0.8, top_p=0.9) for text in prompts(6)]
    ordinary = [ask(text, seed=5, max_tokens=9, temperature=0.8, top_p=0.9, decoding=None) for text in prompts(6)]
    model = load()
    assert generate(model, *requests) == generate(model, *ordinary)


def test_one_token_is_the_likeliest_of_the_trials(load):
    model = load()
    requests = [ask(text, seed=1, max_tokens=1, top_logprobs=0) for text in prompts(20)]
    for request, reply in zip(requests, generate(model, *requests), strict=True):
        plain = Plain(model._scheduler.network.model, model._scheduler.template.tokenizer, request, frozenset())
        prompt = model._scheduler.template.prompt(request)
        p = plain.p(prompt)
        drawn = [plain.draw(p, number * 2**48) for number in range(1, 11)]
        best = max(drawn, key=lambda id_: float(p[id_]))
        assert reply.usage.tokens_out == 10
        assert reply.tokens == () or reply.tokens[0].logprob == pytest.approx(float(p[best].log()), abs=1e-4)


def test_stop_strings_end_trials_and_answers(load):
    model = load()
    free = [ask(text, seed=i, max_tokens=24) for i, text in enumerate(prompts(30))]
    stopped = [ask(text, seed=i, max_tokens=24, stop=("a", "e")) for i, text in enumerate(prompts(30))]
    replies = generate(model, *stopped)
    assert all("a" not in reply.text and "e" not in reply.text for reply in replies)
    assert any(reply.finish == "stop" and reply.text for reply in replies)
    shorter = sum(r.usage.tokens_out for r in replies)
    assert shorter < sum(r.usage.tokens_out for r in generate(model, *free))


def test_an_end_token_at_once_is_an_empty_answer(load):
    model = load()
    every = range(model.capabilities.top_logprobs)
    model._scheduler.ends = frozenset(every)
    reply = generate(model, ask(seed=1, max_tokens=9, top_logprobs=0))[0]
    assert (reply.text, reply.tokens, reply.finish) == ("", (), "stop")
    assert reply.usage.tokens_out == 10


def test_a_cancelled_caller_disturbs_nobody(load):
    model = load()
    other = ask("b", seed=1, max_tokens=12)

    async def main():
        gone = [asyncio.create_task(model.generate([ask("a", seed=s, max_tokens=90)])) for s in range(4)]
        kept = asyncio.create_task(model.generate([other]))
        await asyncio.sleep(0.05)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        return await kept

    together = asyncio.run(main())
    assert together == asyncio.run(model.generate([other]))
    passes = -1
    while passes != model.counts.passes:
        passes = model.counts.passes
        time.sleep(0.1)
    assert not model._scheduler._table.rows and not model._scheduler._prompts


def test_trials_of_one_answer_compute_what_they_share_once(load):
    model = load()
    reply = generate(model, ask("What is the capital of the city of France?", seed=3, max_tokens=20))[0]
    prompt = reply.usage.tokens_in
    assert model.counts.peak_rows <= 10
    assert model.counts.rows <= reply.usage.tokens_out
    assert model.counts.prompt_tokens < 3 * prompt


@pytest.mark.parametrize(
    ("knobs", "words"), [({"decoding": "beam"}, "no decoding 'beam'"), ({"temperature": 0.0}, "temperature is 0")]
)
def test_requests_without_meaning_are_refused(knobs, words, load):
    with pytest.raises(UsageError, match=words) as caught:
        generate(load(), ask(**knobs))
    assert caught.value.hint


def test_models_without_it_say_so(tmp_path):
    from doxa.models.replay import Replay

    (tmp_path / "log.jsonl").write_text('{"prompt": "the city", "reply": "Paris", "samples": ["Paris"]}')
    for model in (Mock(), Replay(tmp_path / "log.jsonl")):
        found = generate(model, ask(n=2, seed=0))
        assert [isinstance(each, Failure) and each.kind for each in found] == ["unsupported"] * 2
        assert model.capabilities.decodings == ()
