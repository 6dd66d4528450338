"""Throughput of the local engine beside transformers.generate, one by one and in batches, in one run.

python benchmarks/engine.py [QUESTIONS]

Per question: one greedy reply, ten samples, four follow-ups and four options. What transformers cannot share (options)
it gets as short greedy answers of one token, in its favour. Prints seconds and the ratio to each.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import torch

from doxa.models.smollm2 import SmolLM2
from doxa.types import Message, Reply, Request

PLACES = "France Peru Japan Kenya Norway Chile Egypt Cuba Laos Fiji Spain Italy Ghana Nepal Qatar Malta".split()  # noqa: SIM905
FOLLOW_UPS = (
    "How sure are you that this is right? Give a percentage and nothing else.",
    "Do you keep your answer or withdraw it? Say KEEP or WITHDRAW.",
    "Would you bet 10 dollars on your answer at even odds? Say YES or NO.",
    "Is the answer true or false?",
)
OPTIONS = ("Paris", "London", "Rome", "Oslo")
LENGTH = 24
BATCH = 16


def question(place: str) -> tuple[Message, ...]:
    return Message("system", "Answer with the name only."), Message("user", f"What is the capital of {place}?")


async def engine(model, places: list[str]) -> dict[str, str]:
    async def one(place: str) -> str:
        start = question(place)
        reply = (await model.generate([Request(start, max_tokens=LENGTH)]))[0][0]
        assert isinstance(reply, Reply)
        said = (*start, Message("assistant", reply.text))
        follow_ups = [Request((*said, Message("user", text)), max_tokens=LENGTH) for text in FOLLOW_UPS]
        samples = [Request(start, temperature=1.0, seed=seed, max_tokens=LENGTH) for seed in range(10)]
        await asyncio.gather(
            model.generate([*follow_ups, *samples]), model.score([Request(start, continuation=o) for o in OPTIONS])
        )
        return reply.text

    return dict(zip(places, await asyncio.gather(*map(one, places)), strict=True))


def conversations(places: list[str], replies: dict[str, str]) -> list[tuple[tuple[Message, ...], bool, int]]:
    """The same calls as (messages, sampled, tokens)."""
    calls = []
    for place in places:
        start = question(place)
        said = (*start, Message("assistant", replies[place]))
        calls += [(start, False, LENGTH)] + [(start, True, LENGTH)] * 10 + [(start, False, 1)] * len(OPTIONS)
        calls += [((*said, Message("user", text)), False, LENGTH) for text in FOLLOW_UPS]
    return calls


def naive(model, tokenizer, calls, batch: int) -> None:
    tokenizer.padding_side = "left"
    for sampled, tokens in sorted({(c[1], c[2]) for c in calls}):
        how = {"do_sample": True, "top_k": 0} if sampled else {"do_sample": False}
        texts = [
            tokenizer.apply_chat_template(
                [{"role": m.role, "content": m.content} for m in messages], tokenize=False, add_generation_prompt=True
            )
            for messages, s, n in calls
            if (s, n) == (sampled, tokens)
        ]
        for i in range(0, len(texts), batch):
            inputs = tokenizer(texts[i : i + batch], return_tensors="pt", padding=True, add_special_tokens=False)
            with torch.inference_mode():
                model.generate(**inputs, **how, max_new_tokens=tokens, pad_token_id=2)


def timed(what: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    result = what()
    return time.perf_counter() - start, result


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else len(PLACES)
    places = PLACES[:count]
    model = SmolLM2()
    asyncio.run(model.generate([Request((Message("user", "Hello"),), max_tokens=4)]))
    seconds, replies = timed(lambda: asyncio.run(engine(model, places)))
    calls = conversations(places, replies)
    print(f"doxa           {seconds:7.1f} s  {len(calls) / seconds:6.1f} calls/s   {model.counts}")
    network, tokenizer = model._scheduler.network.model, model._scheduler.template.tokenizer
    for name, batch in ((f"batches of {BATCH}", BATCH), ("one by one", 1)):
        other, _ = timed(lambda batch=batch: naive(network, tokenizer, calls, batch))
        print(f"{name:14s} {other:7.1f} s  {len(calls) / other:6.1f} calls/s   doxa: x {other / seconds:.1f}")
    asyncio.run(model.close())


if __name__ == "__main__":
    main()
