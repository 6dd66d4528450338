"""Write the field guide, docs/estimators.md, from the estimators themselves and from docs/measured.json.

    python docs/guide.py              count what every estimator asks, and write the guide anew
    python docs/guide.py RUN [RUN…]   the same, with the AUROCs that these runs measured, in place of older ones

`measured.json` holds what cannot be read off the code: the counts, and the measured rows with the runs they are from.
A test compares the guide with what this makes of both; where it fails, run this.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from doxa import flow, registry
from doxa.choosing import asking_for
from doxa.counting import Blank, Counter
from doxa.inquiry import Asking, Inquiry, Services
from doxa.report.numbers import count, interval, percent
from doxa.services.judge import Judge
from doxa.types import Access, Capabilities, Confidence, Entailment, Outcome, Question, Request, Scale

DOCS = Path(__file__).parent
GUIDE, MEASURED = DOCS / "estimators.md", DOCS / "measured.json"
BANKS = ("capitals", "capitals_choice", "word_problems", "capitals_claims")
"""Where costs are counted: on the capitals, or the first of the others where a method asks anything at all."""
QUESTIONS = 64
PROBES = 4
EVERYTHING = Capabilities(
    logprobs=True, top_logprobs=20, score=True, hidden=True, layers=30, prefill=True, seed=True, n=True,
    statistics=("entropy", "fisher_rao", "logit_max", "margin", "renyi", "self_certainty"), decodings=("cautious",),
)  # fmt: skip
"""What the local engine offers, with as many alternatives of a token as servers give."""
FAMILIES = {
    "reply": ("From the reply alone", "Nothing is asked beyond the reply: its tokens say how sure the model was."),
    "samples": (
        "From further samples",
        "The question is asked again at a temperature, and the answers are compared with each other or with the reply.",
    ),
    "asked": (
        "By asking further",
        "The model is asked about its reply, or asked anew, and what it says or how likely it finds it is the number.",
    ),
    "hidden": ("From hidden states", "What the model computes is read, not what it says: for local models alone."),
    "compared": (
        "By comparing questions",
        "The model is asked of which answer it is surer, and matches make a ranking.",
    ),
    "own": (
        "With an answer of their own",
        "These give an answer beside the number, which is about that answer: it is graded apart from the reply, and "
        "they are ranked among themselves. What the answers gain or lose against the replies stands in every report.",
    ),
}
READS = {Access.TEXT: "text", Access.LOGPROBS: "log-probabilities", Access.HIDDEN: "hidden states"}
NEEDS = {
    "scoring": "a model that scores given texts",
    "decoding": "cautious decoding",
    "entailment": "a judge of entailment",
    "embedding": "an encoder",
}
KINDS = {
    "capitals_choice": "questions with options",
    "word_problems": "questions with numbers",
    "capitals_claims": "questions of yes or no",
}
INTRODUCTION = """\
# Field guide to the estimators

Made by `docs/guide.py` out of the estimators themselves, of what they ask while their calls are only counted, and of
runs that measured them. Every name here goes into `doxa run bank:capitals --model smollm2 --estimators NAME`.

How to choose:

- **Log-probabilities are shown?** Begin with `normalized_probability` or, in the local engine, `mean_token_entropy`.
  They cost nothing beyond the reply; whatever costs more should rank better.
- **Only text?** Begin with `self_consistency`: ten samples tell what the model believes, whatever it says of itself.
- **Replies of a sentence or more?** One answer then has many wordings, and meanings must be compared:
  `semantic_entropy`, `entailment_consistency` and their kin, with a good judge of entailment. A small model is none.
- **Answers that are worked out?** Reasoning is then sampled and the answers at its end compared: see the methods with
  an answer of their own.
- **The model's word** (`stated_two_turn`, `p_true` …) takes a call or two. From small models it is worth next to
  nothing: measure it before you trust it.
- **No ranking carries over by itself** to another model or kind of question, and the rows here are of one small model.
  Name a few methods of different families, run them on your own questions, and read the intervals.

*Costs* are the calls and tokens that one question takes in a run of this method alone, the reply included, if no reply
is longer than 64 tokens: upper bounds. A range of calls begins where entailment is judged by a model of its own, and
ends where the model itself is asked. In one run methods share what they ask alike, so that ten samples are drawn once.
In all numbers higher is surer. Those from 0 to 1 can be read as raw probabilities and be calibrated; others rank only.
AUROC is the chance that a right answer has a higher number than a wrong one (.5 is a coin), with its 95 % interval."""


# -- what is counted ---------------------------------------------------------------------------------------------------


class Watched(Counter):
    """A stand-in for a model that keeps what it was asked."""

    def __init__(self, capabilities: Capabilities, question: Question) -> None:
        super().__init__(capabilities, question.kind)
        self.asked: list[Request] = []
        self.seen = False

    async def call(self, request: Request) -> Outcome:
        """Keep the request, then count it."""
        self.asked.append(request)
        return await super().call(request)

    async def hidden(self, request: Request, layers: Sequence[int]) -> Any:
        """Keep that states were read."""
        self.seen = True
        return await super().hidden(request, layers)


class WatchedServices(Blank):
    """Stand-ins for services that keep whether they were used."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    async def entail(self, inquiry: Inquiry, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Keep that entailment was asked for."""
        self.used.add("entailment")
        return await super().entail(inquiry, pairs)

    async def embed(self, texts: Sequence[str]) -> Any:
        """Keep that vectors were asked for."""
        self.used.add("embedding")
        return await super().embed(texts)


@dataclass(frozen=True)
class Trial:
    """One question put to an estimator over stand-ins."""

    confidence: Confidence
    model: Watched
    inquiry: Inquiry
    reply: str

    def asks(self) -> set[str]:
        """What is asked: the reply (or its text once more), samples of the question, or something else."""
        return {self._kind(request) for request in self.model.asked}

    def _kind(self, request: Request) -> str:
        if request.continuation == self.reply:
            return "reply"
        if request.continuation is not None or request.messages != self.inquiry.messages or request.prefill:
            return "asked"
        return "reply" if request.seed is None else "samples"

    def lacks(self, than: Trial) -> bool:
        """Whether something is missing here: a number that is there, or calls that are made there."""
        if than.confidence.value is not None:
            return self.confidence.value is None
        return len(self.model.asked) < len(than.model.asked)


def tried(member: Any, question: Question, offers: Capabilities, services: Services) -> Trial:
    """Put one question to an estimator over stand-ins."""
    plan = flow.Plan([question], {"it": member}, asking_for({"it": member}, offers, Asking()))
    model = Watched(offers, question)

    async def work() -> Trial:
        inquiry = flow.ask(question, plan, {"subject": model}, services)
        if flow.compares(member):
            found = (await flow.estimate_all([inquiry, inquiry], member))[0][0]
        else:
            found, _ = await flow.estimate(inquiry, member)
        return Trial(found, model, inquiry, (await inquiry.reply()).text)

    return asyncio.run(work())


def facts(name: str) -> dict[str, Any]:
    """What an estimator asks, uses, needs and costs, found out over stand-ins."""
    member, watched = registry.build("estimators", name), WatchedServices()
    both = Services(watched, watched)
    bank = _bank(member, both)
    trial = partial(tried, member, _questions(bank)[0])
    whole = trial(EVERYTHING, both)
    lacking = {
        "entailment": trial(EVERYTHING, Services(None, watched)),
        "embedding": trial(EVERYTHING, Services(watched, None)),
        "scoring": trial(replace(EVERYTHING, score=False), both),
        "decoding": trial(replace(EVERYTHING, decodings=()), both),
        "statistics": trial(replace(EVERYTHING, statistics=()), both),
        "alternatives": trial(replace(EVERYTHING, top_logprobs=0), both),
        "services": trial(EVERYTHING, Services()),
    }
    return {
        "bank": bank,
        "asks": sorted(whole.asks() | ({"hidden"} if whole.model.seen else set())),
        "uses": sorted(watched.used),
        "needs": sorted(name for name, without in lacking.items() if without.lacks(whole)),
        "cost": _cost(member, bank, SimpleNamespace(compute=None)),
        "judged": _cost(member, bank, Judge()) if "entailment" in watched.used else None,
    }


def _questions(bank: str) -> list[Question]:
    return list(registry.build("questions", bank).questions()[:QUESTIONS])


def _bank(member: Any, services: Services) -> str:
    """The first bank where the method asks for more than the reply or has a number."""
    for bank in BANKS:
        found = tried(member, _questions(bank)[0], EVERYTHING, services)
        if found.confidence.value is not None or len(found.model.asked) > 1:
            return bank
    return BANKS[0]


def _cost(member: Any, bank: str, entailment: Any) -> dict[str, float]:
    """Calls and tokens for one question, by the dry run."""
    questions, services = _questions(bank), {"entailment": entailment, "embedding": SimpleNamespace(compute=None)}
    plan = flow.Plan(questions, {"it": member}, asking_for({"it": member}, EVERYTHING, Asking()), services=services)
    probe = QUESTIONS if flow.learns(member) or flow.compares(member) else PROBES
    spent = asyncio.run(flow.count_by_role(plan, EVERYTHING, probe=probe))["subject"]
    tokens = (spent.tokens_in or 0) + (spent.tokens_out or 0)
    return {"calls": round(spent.calls / len(questions), 1), "tokens": round(tokens / len(questions))}


# -- what was measured -------------------------------------------------------------------------------------------------


def taken(measured: Mapping[str, Any], run: Path) -> dict[str, Any]:
    """`measured` with the rows of one more run, and without the runs that have no row any more."""
    about, found = (json.loads((run / name).read_text(encoding="utf-8")) for name in ("run.json", "metrics.json"))
    described = {
        "model": about["model"]["name"],
        "questions": " + ".join(about["questions"]["banks"]),
        "n": about["questions"]["n"],
        "command": re.sub(r" --out \S+", "", about["command"]),
    }
    rows = dict(measured["rows"])
    own = {row["name"]: row for row in found.get("changes", {}).get("answers", []) if row["n"]}
    for entry in found["estimators"]:
        auroc = entry["raw"]["auroc"]
        rows[entry["name"]] = {
            "run": about["id"],
            "about": entry["about"],
            **{key: _rounded(auroc[key]) for key in ("value", "low", "high", "n", "reason")},
            "provenance": ", ".join(entry["provenance"]),
            "right": [_rounded(own[entry["name"]][side]["value"]) for side in ("own", "reply")]
            if entry["name"] in own
            else None,
        }
    runs = {**measured["runs"], about["id"]: described}
    kept = {row["run"] for row in rows.values()}
    return {**measured, "runs": {name: run for name, run in runs.items() if name in kept}, "rows": rows}


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


# -- what is written ---------------------------------------------------------------------------------------------------


def guide(measured: Mapping[str, Any]) -> str:
    """The whole page."""
    names = registry.names("estimators")
    families: dict[str, list[str]] = {family: [] for family in FAMILIES}
    for name in names:
        families[_family(name, measured["facts"][name])].append(name)
    parts = [INTRODUCTION]
    for family, members in families.items():
        if members:
            members.sort(key=lambda name: (measured["facts"][name]["cost"]["calls"], name))
            title, said = FAMILIES[family]
            parts += [f"## {title}", said, _table(members, measured), *(_entry(name, measured) for name in members)]
    return "\n\n".join([*parts, _runs(measured)]) + "\n"


def _family(name: str, found: Mapping[str, Any]) -> str:
    member = registry.find("estimators", name)
    if flow.compares(member):
        return "compared"
    if _own(member):
        return "own"
    asks = set(found["asks"])
    return next(family for family in ("hidden", "asked", "samples", "reply") if family in asks)


def _own(member: Any) -> bool:
    return "own answer" in " ".join(inspect.getdoc(member).split())


def _table(members: Sequence[str], measured: Mapping[str, Any]) -> str:
    lines = ["| estimator | reads | calls | tokens | AUROC | n |", "| :-- | :-- | --: | --: | --: | --: |"]
    for name in members:
        found, row = measured["facts"][name], measured["rows"].get(name)
        ranked = (interval(row), str(row["n"])) if row and row["value"] is not None else ("", "")
        reads = READS[registry.find("estimators", name).access]
        cost, judged = found["cost"], found["judged"] or found["cost"]
        ends = dict.fromkeys((f"{cost['calls']:g}", f"{judged['calls']:g}"))
        cells = (f"[`{name}`](#{name})", reads, "–".join(ends), count(cost["tokens"]), *ranked)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _entry(name: str, measured: Mapping[str, Any]) -> str:
    member, found = registry.find("estimators", name), measured["facts"][name]
    doc = inspect.getdoc(member)
    points = {
        "Helps": member.helps,
        "Fails": member.fails,
        "Needs": _needs(member, found),
        "Costs": _costs(found),
        "Gives": _gives(member),
        "Source": _sources(doc),
        "Measured": _rows(name, measured),
    }
    listed = "\n".join(f"- *{label}:* {text}" for label, text in points.items() if text)
    return f"### `{name}`\n\n{_plain(doc.splitlines()[0])}\n\n{listed}"


def _needs(member: Any, found: Mapping[str, Any]) -> str:
    needs, parts = set(found["needs"]), [READS[member.access]]
    if member.statistics:
        told = f"full distributions ({', '.join(member.statistics)})"
        parts.append(told if "statistics" in needs else f"{told} if shown")
    seen = getattr(member, "alternatives", 0)
    parts += [f"the {seen} likeliest tokens" if seen else "the likeliest tokens"] if "alternatives" in needs else []
    parts += [words for need, words in NEEDS.items() if need in needs]
    rest = [NEEDS[use] for use in found["uses"] if use not in needs]
    parts += [" or ".join(rest) + ("" if "services" in needs else " if there is one")] if rest else []
    parts += [KINDS[found["bank"]]] if found["bank"] in KINDS else []
    parts += ["graded questions to learn from"] if flow.learns(member) else []
    parts += ["many questions at once"] if flow.compares(member) else []
    return "; ".join(parts)


def _costs(found: Mapping[str, Any]) -> str:
    cost, judged = found["cost"], found["judged"]
    more = "" if judged in (None, cost) else f"; {_bill(judged)} where the model itself judges entailment"
    return _bill(cost) + more


def _bill(cost: Mapping[str, Any]) -> str:
    return f"{cost['calls']:g} call{'s' * (cost['calls'] != 1)}, {count(cost['tokens'])} tokens"


def _gives(member: Any) -> str:
    about = "its own answer" if _own(member) else "the reply"
    return f"{'a number from 0 to 1' if member.scale is Scale.UNIT else 'a score that only ranks'}, about {about}"


_NAME = r"(?:(?:[Vv]an|[Vv]on|[Dd]e) (?:de[nr] )?)?[A-Z][\w-]+"
_AUTHORS = re.compile(rf"\b{_NAME}(?:(?:, {_NAME})*,? and {_NAME}| et al\.)? [12]\d{{3}}(?![\d.]\d)")
_ARXIV = re.compile(r"arXiv (\d{4}\.\d{5})")


def _sources(doc: str) -> str:
    """Authors and years that a docstring names, each with the arXiv id that follows it."""
    text = " ".join(doc.split())
    named = list(_AUTHORS.finditer(text))
    ends = [*(each.start() for each in named[1:]), len(text)]
    sources = {}
    for each, end in zip(named, ends, strict=True):
        found = _ARXIV.search(text, each.end(), end)
        link = f" ([arXiv {found[1]}](https://arxiv.org/abs/{found[1]}))" if found else ""
        sources[each[0]] = sources.get(each[0]) or link
    return ", ".join(name + link for name, link in sources.items())


def _rows(name: str, measured: Mapping[str, Any]) -> str:
    """AUROC of this estimator under each label it was measured as."""
    places = {run: place for place, run in enumerate(measured["runs"], start=1)}
    texts = []
    for label, row in measured["rows"].items():
        if label.partition("(")[0] != name:
            continue
        spelled = "" if label == name else f"`{label}` "
        value = f"AUROC {interval(row)}, n = {row['n']}" if row["value"] is not None else f"no AUROC: {row['reason']}"
        based = f", {row['provenance']}" if row["provenance"] and row["value"] is not None else ""
        right = (
            f", right {percent(row['right'][0])} where replies are {percent(row['right'][1])}" if row["right"] else ""
        )
        texts.append(f"{spelled}{value}{based}{right} (run {places[row['run']]})")
    return "; ".join(texts)


def _runs(measured: Mapping[str, Any]) -> str:
    told = (
        f"{place}. {run['model']} on {run['n']} questions, {run['questions']}: `{run['command']}`"
        for place, run in enumerate(measured["runs"].values(), start=1)
    )
    return "\n".join(["## The runs behind the numbers", "", *told])


def _plain(text: str) -> str:
    """Text that is taken as no markup."""
    return re.sub(r"([*_|<\[\]])", r"\\\1", text)


def _lines(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """JSON with a line for each entry, so that changes can be read."""
    parts = []
    for part, entries in measured.items():
        lines = (f"  {json.dumps(name)}: {json.dumps(entry, ensure_ascii=False)}" for name, entry in entries.items())
        parts.append(f" {json.dumps(part)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(runs: Sequence[str]) -> None:
    """Take the runs, count, write."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {"runs": {}, "rows": {}}
    for run in runs:
        measured = taken(measured, Path(run))
    measured["facts"] = {name: facts(name) for name in registry.names("estimators")}
    MEASURED.write_text(_lines(measured), encoding="utf-8")
    GUIDE.write_text(guide(measured), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
