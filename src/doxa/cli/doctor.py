"""`doxa doctor`: what a model really offers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import textwrap
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import typer

from doxa.errors import DoxaError

if TYPE_CHECKING:
    from doxa.models.http.probe import Finding
    from doxa.models.openai import OpenAI
    from doxa.types import Capabilities, Model

WIDTH = 80
WORDS = {True: "yes", False: "no", None: "unknown"}


@dataclass
class Examination:
    """What was found, and the error that ended it early, if one did."""

    findings: list[Finding] = field(default_factory=list)
    error: DoxaError | None = None


def doctor(
    model: Annotated[str, typer.Argument(help="smollm2, hf/PATH, vllm/PATH, openai/NAME, replay/FILE or mock/NAME")],
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Find out what a model offers, and which estimators can run.

    A server is asked by a few small calls.
    """
    from doxa.loading import load_model
    from doxa.models.http.probe import found_capabilities
    from doxa.models.openai import OpenAI

    subject = load_model(model)
    if isinstance(subject, OpenAI):
        examination = asyncio.run(_examine(subject))
        capabilities = found_capabilities(examination.findings)
    else:
        examination, capabilities = Examination(_declared(subject)), subject.capabilities
        asyncio.run(subject.close())
    can, cannot = ([], {}) if examination.error else _estimators(capabilities)
    if as_json:
        sys.stdout.write(_json(model, subject.base_url, examination, can, cannot))
    else:
        sys.stdout.write(_table(model, examination, can, cannot))
    if examination.error:
        raise examination.error


async def _examine(model: OpenAI) -> Examination:
    """Probe a server; an error ends the probing and keeps what was found before it."""
    from doxa.models.http.probe import Finding, probe
    from doxa.models.openai import KEY

    present = bool(os.environ.get(KEY, "").strip())
    examination = Examination([Finding("key", present, f"{KEY} is {'set' if present else 'not set'}")])
    patient = replace(model, max_attempts=2, offers=replace(model.offers, prefill=True))
    try:
        async for finding in probe(patient):
            examination.findings.append(finding)
    except DoxaError as error:
        examination.error = error
    finally:
        await patient.close()
    return examination


def _declared(model: Model) -> list[Finding]:
    """What a model in this process says of itself: its word is good, it is our own code."""
    from doxa.models.http.probe import Finding

    offers = model.capabilities
    top, names = offers.top_logprobs, ", ".join(offers.statistics)
    return [
        Finding("logprobs", offers.logprobs, "of the tokens of a reply" if offers.logprobs else "text only"),
        Finding("top logprobs", top > 0, f"up to {top} alternatives per token" if top else "none"),
        Finding("statistics", bool(names), names or "none of the full distribution"),
        Finding("scoring", offers.score, "log-probabilities of given answers" if offers.score else "none"),
        Finding("hidden states", offers.hidden, "of every layer" if offers.hidden else "none"),
        Finding("prefill", offers.prefill, "a started answer is continued" if offers.prefill else "not continued"),
        Finding("seed", offers.seed, "fixes a sample" if offers.seed else "has no effect"),
        Finding("decoding", bool(offers.decodings), ", ".join(offers.decodings) or "token by token alone"),
        Finding("n", offers.n, "several answers in one call" if offers.n else "one answer per call"),
        Finding("chat", offers.chat, "has a chat template" if offers.chat else "a base model: plain prompts"),
    ]


def _estimators(capabilities: Capabilities) -> tuple[list[str], dict[str, str]]:
    """Names of the estimators that can run with these capabilities, and why the others cannot."""
    from doxa import registry
    from doxa.choosing import affordable, named
    from doxa.flow import Plan
    from doxa.types import Question

    questions = [Question("open", "Who?"), Question("choice", "Who?", kind="choice", choices=("he", "she"))]
    everyone = named(registry.names("estimators"))
    choice = asyncio.run(affordable(Plan(questions, {}), everyone, capabilities, None))
    return list(choice.estimators), dict(choice.left_out)


def _table(model: str, examination: Examination, can: list[str], cannot: dict[str, str]) -> str:
    from doxa.cli.layout import grouped
    from doxa.text import clean

    rows = [(finding.name, WORDS[finding.answer], finding.note) for finding in examination.findings]
    if not examination.error:
        rows += [("estimators", str(len(can)), ", ".join(can) or "none")]
        rows += [("cannot run", str(len(cannot)), "")] if cannot else []
        rows += [("", str(len(names)), f"{reason}: {', '.join(names)}") for reason, names in grouped(cannot).items()]
    lines = [f"doctor: {model}", ""]
    for name, word, note in rows:
        wrapped = textwrap.wrap(clean(note), WIDTH - 24) or [""]
        lines.append(f"{name:<14}  {word:<7} {wrapped[0]}")
        lines += [f"{'':<24}{more}" for more in wrapped[1:]]
    return "\n".join(clean(line).rstrip() for line in lines) + "\n"


def _json(model: str, base_url: str, examination: Examination, can: list[str], cannot: dict[str, str]) -> str:
    report = {
        "schema": "doxa.doctor/1",
        "model": model,
        "base_url": base_url,
        "findings": [asdict(finding) for finding in examination.findings],
        "estimators": {"can": can, "cannot": cannot},
        "error": str(examination.error) if examination.error else None,
    }
    return json.dumps(report, ensure_ascii=False) + "\n"
