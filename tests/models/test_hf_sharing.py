"""What is shared is computed once: prompts, samples that agree so far, options, conversations, equal requests."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.types import Message, Request

pytest.importorskip("torch")

from doxa.models.engine import scheduler

QUESTION = "What is the capital of the city of France and what is the name of it?"


def ask(text=QUESTION, **knobs):
    return Request((Message("user", text),), **knobs)


def run(model, method, requests):
    async def singles():
        return await asyncio.gather(*(getattr(model, method)([r]) for r in requests))

    return asyncio.run(singles())


def test_samples_of_one_prompt_compute_it_once(load):
    model = load()
    requests = [ask(temperature=1.0, seed=s, max_tokens=5) for s in range(10)] + [ask(max_tokens=5)]
    replies = run(model, "generate", requests)
    assert model.counts.prompt_tokens == replies[0][0][0].usage.tokens_in


def test_answers_that_agree_are_one_row(load):
    model = load()
    replies = run(model, "generate", [ask(temperature=1e-6, seed=s, max_tokens=8) for s in range(10)])
    assert len({r[0][0].text for r in replies}) == 1
    assert model.counts.peak_rows == 1
    assert model.counts.passes == model.counts.rows == replies[0][0][0].usage.tokens_out


def test_answers_that_differ_split_and_go_on_alone(load):
    model = load()
    run(model, "generate", [ask(temperature=3.0, seed=s, max_tokens=8) for s in range(10)])
    assert model.counts.peak_rows == 10
    assert model.counts.passes == 8


def test_equal_requests_under_way_are_one(load):
    model = load()
    first, *others = run(model, "generate", [ask(max_tokens=6)] * 20)
    assert all(other == first for other in others)
    assert model.counts.rows == first[0][0].usage.tokens_out


def test_options_are_scored_in_one_pass_over_their_tree(load):
    model = load()
    options = ("the name of the city", "the name of France", "the name")
    replies = run(model, "score", [ask(continuation=o) for o in options])
    assert model.counts.passes == 1
    prompt = replies[0][0].usage.tokens_in - len(replies[0][0].tokens)
    paths = {tuple(t.text for t in r[0].tokens[: i + 1]) for r in replies for i in range(len(r[0].tokens))}
    assert model.counts.prompt_tokens == prompt + len(paths)


def test_many_options_are_scored_in_passes_of_bounded_size(load, monkeypatch):
    monkeypatch.setattr(scheduler, "POSITIONS", 16)
    model, kept = load(), []
    forward = model._scheduler.network.forward

    def watched(spans, store, width, first, keep=1):
        kept.append(len(spans) * keep)
        return forward(spans, store, width, first, keep)

    monkeypatch.setattr(model._scheduler.network, "forward", watched)
    options = [ask(continuation=f"the city of {i} and {7 * i}") for i in range(40)]
    many = run(model, "score", options)
    assert max(kept) <= 1 + 16 + max(len(reply.tokens) for (reply,) in many)
    assert len(kept) > 10
    monkeypatch.undo()
    for (mine,), (theirs,) in zip(many, run(load(), "score", options), strict=True):
        assert [t.logprob for t in mine.tokens] == pytest.approx([t.logprob for t in theirs.tokens], abs=1e-4)


def test_a_conversation_is_not_computed_again(load):
    model = load()
    (reply,) = asyncio.run(model.generate([ask(max_tokens=8)]))[0]
    before = model.counts.prompt_tokens
    messages = (Message("user", QUESTION), Message("assistant", reply.text), Message("user", "Are you?"))
    (answer,) = asyncio.run(model.generate([Request(messages, max_tokens=2)]))[0]
    fresh = model.counts.prompt_tokens - before
    assert fresh <= answer.usage.tokens_in - before + 8


def test_questions_that_start_alike_compute_the_start_once(load):
    model = load()
    system = Message("system", "the name of the city and the capital of France, what is it? " * 2)
    requests = [Request((system, Message("user", f"Question {i}")), max_tokens=1) for i in range(8)]
    replies = run(model, "generate", requests)
    assert model.counts.prompt_tokens < sum(r[0][0].usage.tokens_in for r in replies) / 2


def test_the_memory_of_prefixes_is_bounded_and_forgets_the_oldest():
    import torch

    from doxa.models.engine.cache import Prefixes, Store

    like = torch.zeros(1)
    prefixes, store = Prefixes([(1, 2)], 16, like), Store([(1, 2)], 64, like)
    store.buffers[0][:] = torch.arange(64.0)[:, None, None]
    old, used, new = ([k] * 9 for k in (1, 2, 3))
    prefixes.add([(old[:8], 0), (used[:8], 16)], store)
    assert len(prefixes.match(old)) == 8
    prefixes.add([(new[:8], 32)], store)
    assert [len(prefixes.match(k)) for k in (old, used, new)] == [8, 0, 8]
    assert prefixes.store.buffers[0][prefixes.match(new)][:, 0, 0].tolist() == list(range(32, 40))


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=9), max_size=12), st.integers(0, 12))
def test_what_is_known_of_a_prefix_is_what_was_computed_for_it(rows, room):
    import torch

    from doxa.models.engine.cache import Prefixes, Store

    like = torch.zeros(1)
    prefixes, store = Prefixes([(1, 1)], room, like), Store([(1, 1)], 16 * len(rows) + 1, like)
    meaning = {}
    for i, tokens in enumerate(rows):
        for end in range(1, len(tokens) + 1):
            number = meaning.setdefault(tuple(tokens[:end]), len(meaning) + 1.0)
            store.buffers[0][16 * i + end - 1] = number
    for start in range(0, len(rows), 3):
        prefixes.add([(tokens, 16 * i) for i, tokens in enumerate(rows)][start : start + 3], store)
        for tokens in rows:
            known = prefixes.store.buffers[0][prefixes.match(tokens)].flatten().tolist()
            assert known == [meaning[tuple(tokens[: end + 1])] for end in range(len(known))]
            assert len(known) <= min(room, len(tokens) - 1)


@given(st.data())
def test_rows_keep_what_was_computed_for_them_wherever_they_move(data):
    import torch

    from doxa.models.engine.cache import Prefixes
    from doxa.models.engine.rows import Row
    from doxa.models.engine.table import Table

    like = torch.zeros(1)
    table = Table([(1, 1)], 8 * 32, like, Prefixes([(1, 1)], 8 * 32, like))

    def holds(slot, row):
        start = slot * table.width
        return table.store.buffers[0][start : start + len(row.tokens) - 1].flatten().tolist() == row.tokens[:-1]

    for slot in range(data.draw(st.integers(1, 8))):
        tokens = [slot * 10 + i for i in range(data.draw(st.integers(2, 9)))]
        table.rows.append(Row(tokens, []))
        table.store.buffers[0][slot * 32 : slot * 32 + len(tokens), 0, 0] = torch.tensor(tokens)
    dead = data.draw(st.sets(st.integers(0, len(table.rows) - 1)))
    alive = [i for i in range(len(table.rows)) if i not in dead]
    sources = data.draw(st.lists(st.sampled_from(alive), max_size=9)) if alive else []
    splits = [(source, Row([*table.rows[source].tokens[:-1], 99], [])) for source in sources]
    expected = {id(table.rows[i]) for i in alive} | {id(row) for _, row in splits}
    homeless = table.settle(sorted(dead), splits)
    assert {id(row) for row in [*table.rows, *homeless]} == expected
    assert len(table.rows) == min(8, len(expected))
    assert all(holds(slot, row) for slot, row in enumerate(table.rows))
    if len(table.rows) <= 4:
        table.reshape(64)
        assert all(holds(slot, row) for slot, row in enumerate(table.rows))
