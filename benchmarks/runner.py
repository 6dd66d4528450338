"""Answers a second from a server with 50 ms latency and 5 % errors, and what a kill costs.

Every side asks a server of its own process the same questions at concurrency 200. The server answers after 50 ms; every
twentieth request gets a status of 500 or a reset connection in turn, and has to be asked again. The server has one core
of the machine, the side the other.

doxa does the whole of `doxa.assay`: it journals every answer, grades it, estimates the sequence probability, measures
with intervals, and writes the table and the report. uqlm's `WhiteBoxUQ` returns answers and sequence probabilities; its
concurrency, which it does not bound, is bounded by its HTTP client. lm-eval's `local-chat-completions` returns the
texts, without and with its cache of answers, which is what could be resumed from. The plain aiohttp loop asks and
parses, and does nothing else: a floor. Seconds are for the whole, from questions to results; sides must agree on texts
and on probabilities.

For the kill a side is sent SIGKILL once half of the questions are answered, started again in the same folder, and left
to finish: what was answered twice was paid twice.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any
from urllib.request import urlopen

from side import Result, Row, Side, Table, Target, environment, main, play

CONCURRENCY, LATENCY, ERRORS = 200, 0.05, 0.05
SHOWN = 200
"""Questions whose answers are compared."""
UQLM = ("uqlm==0.6.7", "langchain-openai==1.7.3", "pyarrow==21.0.0")  # newer pyarrow wants another numpy than uqlm
LM_EVAL = ("lm-eval[api]==0.4.13",)


def questions(count: int) -> list[str]:
    return [f"What is the colour of thing #{i}?" for i in range(count)]


def alone(setup: dict[str, Any]) -> None:
    """Keep to the last core, where there is another one for the server; the key is needed though nobody checks it."""
    if len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, cores[-1:])
    os.environ["OPENAI_API_KEY"] = "none"


# -- the sides ---------------------------------------------------------------------------------------------------------


def doxa_runs(setup):
    alone(setup)
    import doxa
    from doxa.models.openai import OpenAI
    from doxa.types import Question

    model = OpenAI("fake-1", setup["url"], max_connections=CONCURRENCY)
    bank = [Question(f"q{i}", text=text, answers=("amber",)) for i, text in enumerate(questions(setup["n"]))]
    turns = iter(range(1000))

    def turn():
        run = doxa.assay(model, bank, estimators=["sequence_probability"], out=f"run{next(turns)}")
        assert run.info["status"] == "complete", run.info
        rows = {row["question"]: row for row in run.frame().iter_rows(named=True)}
        shown = [rows[f"q{i}"] for i in range(min(SHOWN, len(bank)))]
        return [[row["reply"] for row in shown], [row["confidence"] for row in shown]]

    doxa.assay(model, bank[:SHOWN], estimators=["sequence_probability"], out="warm")
    return turn


def uqlm_generates(setup):
    alone(setup)
    import asyncio

    import httpx
    from langchain_openai import ChatOpenAI
    from uqlm import WhiteBoxUQ

    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    llm = ChatOpenAI(
        model="fake-1",
        base_url=setup["url"],
        temperature=0,
        max_tokens=64,
        max_retries=8,
        http_async_client=httpx.AsyncClient(limits=limits, timeout=600),
    )
    scorer = WhiteBoxUQ(llm=llm, scorers=["sequence_probability"], length_normalize=False)
    loop = asyncio.new_event_loop()

    def turn(count=setup["n"]):
        asked = scorer.generate_and_score(questions(count), show_progress_bars=False)
        found = loop.run_until_complete(asked).data
        return [found["responses"][:SHOWN], found["sequence_probability"][:SHOWN]]

    turn(20)
    return turn


def lm_eval_generates(setup):
    alone(setup)
    import logging

    from lm_eval.api.instance import Instance
    from lm_eval.api.model import CachingLM
    from lm_eval.models.api_models import JsonChatStr
    from lm_eval.models.openai_completions import LocalChatCompletion

    logging.disable()
    turns = iter(range(1000))
    lm = LocalChatCompletion(
        base_url=f"{setup['url']}/chat/completions", model="fake-1", num_concurrent=CONCURRENCY, max_retries=8
    )

    def turn(count=setup["n"]):
        chats = [JsonChatStr(json.dumps([{"role": "user", "content": text}])) for text in questions(count)]
        # every question needs settings of its own, as lm-eval changes them
        wanted = [
            Instance("generate_until", {}, (chat, {"until": [], "max_gen_toks": 64}), i) for i, chat in enumerate(chats)
        ]
        asked = CachingLM(lm, f"cache{next(turns)}.db") if setup["cache"] else lm
        return [asked.generate_until(wanted)[:SHOWN], None]

    turn(20)
    return turn


def aiohttp_loops(setup):
    alone(setup)
    import asyncio
    import math

    import aiohttp

    body = {"model": "fake-1", "temperature": 0, "max_tokens": 64, "logprobs": True}
    url = f"{setup['url']}/chat/completions"

    async def one(session, gate, text):
        async with gate:
            while True:
                try:
                    asked = body | {"messages": [{"role": "user", "content": text}]}
                    async with session.post(url, json=asked) as response:
                        if response.status == 200:
                            choice = (await response.json())["choices"][0]
                            tokens = choice["logprobs"]["content"]
                            probability = math.exp(sum(token["logprob"] for token in tokens))
                            return choice["message"]["content"], probability
                except aiohttp.ClientError:
                    continue

    async def every():
        gate = asyncio.Semaphore(CONCURRENCY)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            return await asyncio.gather(*(one(session, gate, text) for text in questions(setup["n"])))

    return lambda: [list(column) for column in zip(*asyncio.run(every())[:SHOWN], strict=True)]


# -- the benchmark -----------------------------------------------------------------------------------------------------


@contextmanager
def server() -> Iterator[str]:
    """The address of a server on the first core."""
    file = Path(__file__).parent / "side" / "server.py"
    command = [sys.executable, str(file), "--latency", f"{LATENCY}", "--errors", f"{ERRORS}", "--faults", "500,reset"]
    process = Popen(command, stdin=PIPE, stdout=PIPE, text=True)
    assert process.stdin and process.stdout
    if len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(process.pid, cores[:1])
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def answered(url: str) -> int:
    with urlopen(f"{url.removesuffix('/v1')}/count") as response:
        return int(response.read())


def begun(side: Side, folder: Path) -> Popen[str]:
    """A side that has been told to work."""
    python = str(environment(side.packages)) if side.packages else sys.executable
    command = [python, __file__, "--side", side.work.__name__]
    process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=(folder / "said.txt").open("w"), text=True, cwd=folder)
    assert process.stdin and process.stdout
    print(json.dumps([side.setup, []]), file=process.stdin, flush=True)
    process.stdout.readline()
    return process


def paid_twice(side: Side, wanted: int) -> int:
    """Questions answered more than once when the side is killed half way and started again."""
    side = replace(side, setup={**side.setup, "n": wanted})
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        url = side.setup["url"]
        first = begun(side, folder)
        before = answered(url)
        assert first.stdin
        print("turn", file=first.stdin, flush=True)
        while answered(url) - before < wanted / 2 and first.poll() is None:
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        first.wait()
        spent = answered(url) - before
        second = begun(side, folder)  # whose warming up is not counted
        before = answered(url)
        assert second.stdin and second.stdout
        print("turn", file=second.stdin, flush=True)
        second.stdout.readline()
        spent += answered(url) - before
        second.kill()
        second.wait()
    return spent - wanted


def benchmark(quick: bool) -> Result:
    scale = 10 if quick else 1
    with server() as url:
        sides = (
            Side("doxa", doxa_runs, {"url": url, "n": 10_000 // scale}),
            Side("uqlm", uqlm_generates, {"url": url, "n": 1_000 // scale}, UQLM),
            Side("lm-eval", lm_eval_generates, {"url": url, "n": 5_000 // scale, "cache": False}, LM_EVAL),
            Side(
                "lm-eval with its cache", lm_eval_generates, {"url": url, "n": 1_000 // scale, "cache": True}, LM_EVAL
            ),
            Side("plain aiohttp loop", aiohttp_loops, {"url": url, "n": 10_000 // scale}),
        )
        played = play(sides, rounds=1 if quick else 3)
        work = {side.name: side.setup["n"] for side in sides}
        lost = {side.name: paid_twice(side, 1_000 // scale) for side in sides[:4] if side.name in played}
    floor = "plain aiohttp loop"
    seconds, processor = (
        Table(
            title,
            tuple(
                Row(name, getattr(turns, kind), work=work[name], rival=name != floor) for name, turns in played.items()
            ),
            of="answers",
            unit=unit,
        )
        for title, kind, unit in (
            ("Seconds", "seconds", "s"),
            ("Processor seconds of the side", "processor", "s of processor"),
        )
    )
    kill = Table(
        f"Answers paid twice after a kill half way through {1_000 // scale:,} questions",
        tuple(Row(name, (float(count),)) for name, count in lost.items()),
        unit="answers",
    )
    mine = seconds.rows[0]
    return Result(
        (seconds, processor, kill),
        (
            Target("answers a second at concurrency 200", 1 / mine.cost, at_least=1000),
            Target("milliseconds of processor for an answer", 1e3 * processor.rows[0].cost, at_most=1),
            Target("answers paid twice after a kill, at most those in flight", lost["doxa"], at_most=CONCURRENCY),
        ),
        notes=agreement(played),
        failures=played.failures,
        versions=played.versions,
    )


def agreement(played) -> tuple[str, ...]:
    """Sentences on the texts and probabilities that the sides returned."""
    texts, values = played["doxa"].answers[0]
    said = []
    for name, turns in list(played.items())[1:]:
        other, numbers = turns.answers[0]
        same = sum(a == b for a, b in zip(texts, other, strict=False))
        far = max((abs(a - b) for a, b in zip(values, numbers, strict=False)), default=0) if numbers else None
        about = "" if far is None else f", probabilities within {far:.0e}"
        said.append(f"{name} agrees with doxa on {same} of {min(len(texts), len(other))} texts{about}.")
    return tuple(said)


if __name__ == "__main__":
    main(benchmark)
