"""Multiple choice by option likelihood, beside lm-evaluation-harness.

Log-probabilities of four options after each question on SmolLM2-135M-Instruct in float32, two threads: doxa by
`score`, lm-evaluation-harness by `HFLM.loglikelihood` with its default cache of one-token options, at whichever batch
size of 1, 8 and 32 was fastest on 16 questions before the clock ran. Both get the same text: the conversation,
and an answer that starts with "Answer:", so that an option begins with a space and both cut it into the same tokens.
No question comes twice, as doxa remembers prompts it has seen. Every log-probability must agree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from side import Result, Row, Side, Table, Target, main, play

HARNESS = "lm-evaluation-harness 0.4.13"
START, THREADS = "Answer:", 2
Item = dict[str, Any]
WARM_UP: Item = {"text": "Who wrote Faust?", "options": ["Goethe", "Marlowe"]}


def ours(setup: dict[str, Any]) -> Callable[[], list[float]]:
    """doxa's engine."""
    import asyncio
    import math

    from doxa.models.smollm2 import SmolLM2
    from doxa.types import Message, Request

    model = SmolLM2(threads=setup["threads"])
    rounds = iter(setup["rounds"])

    def turn(items: Sequence[Item] = ()) -> list[float]:
        requests = [
            Request((Message("user", item["text"]),), prefill=START, continuation=f" {option}")
            for item in items or next(rounds)
            for option in item["options"]
        ]
        replies = asyncio.run(model.score(requests))
        return [math.fsum(token.logprob for token in reply.tokens) for reply in replies]  # type: ignore[union-attr,misc]

    turn([WARM_UP])
    return turn


def harness(setup: dict[str, Any]) -> Callable[[], list[float]]:
    """lm-evaluation-harness on a model that transformers loaded."""
    import torch
    import transformers
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    torch.set_num_threads(setup["threads"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(setup["folder"])
    base = transformers.AutoModelForCausalLM.from_pretrained(setup["folder"], dtype=torch.float32).eval()
    model = HFLM(pretrained=base, tokenizer=tokenizer, device="cpu", batch_size=1)

    def context(text: str) -> str:
        chat = [{"role": "user", "content": text}]
        return str(tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)) + START

    rounds = iter(setup["rounds"])

    def turn(items: Sequence[Item] = ()) -> list[float]:
        pairs = [(context(item["text"]), f" {option}") for item in items or next(rounds) for option in item["options"]]
        requests = [Instance("loglikelihood", {}, pair, i) for i, pair in enumerate(pairs)]
        return [float(logprob) for logprob, _ in model.loglikelihood(requests, disable_tqdm=True)]

    def speed(size: int) -> float:
        model.batch_size_per_gpu = size
        start = time.perf_counter()
        turn(setup["rounds"][0][:16])
        return time.perf_counter() - start

    turn([WARM_UP])
    model.batch_size_per_gpu = min((1, 8, 32), key=speed)
    return turn


def items_of(rounds: int, count: int) -> list[list[Item]]:
    """Questions without their options, and the options; none twice."""
    from doxa.prompts import render, without_choices
    from doxa.questions import load

    items = [
        {"text": without_choices(render(question), question.choices)[0].content, "options": list(question.choices)}
        for question in load("bank:capitals_choice", limit=rounds * count)
    ]
    return [items[i * count : (i + 1) * count] for i in range(rounds)]


def benchmark(quick: bool) -> Result:
    from engine import weights

    count = 16 if quick else 64
    setup: dict[str, Any] = {
        "folder": weights(),
        "threads": 1 if quick else THREADS,
        "rounds": items_of(2 if quick else 3, count),
    }
    sides = Side("doxa", ours, setup), Side(HARNESS, harness, setup, ("lm-eval[hf]==0.4.13",))
    played = play(sides, rounds=len(setup["rounds"]))
    table = Table(
        f"{count} questions with four options",
        tuple(Row(n, t.seconds, count) for n, t in played.items()),
        of="questions",
    )
    apart = None
    if HARNESS in played:
        rounds = zip(played["doxa"].answers, played[HARNESS].answers, strict=True)
        apart = max(abs(a - b) for mine, theirs in rounds for a, b in zip(mine, theirs, strict=True))
    targets = (
        Target("times the speed of lm-evaluation-harness", table.ratio(HARNESS), at_least=2),
        Target("largest difference of a log-probability", apart, at_most=1e-3),
    )
    return Result((table,), targets, failures=played.failures, versions=played.versions)


if __name__ == "__main__":
    main(benchmark)
