"""`doxa ask`: one question, the answer, and how sure each estimator is."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from doxa.text.hedges import Style
    from doxa.types import Record


def ask(
    question: Annotated[str, typer.Argument(help="the question")],
    model: Annotated[
        str, typer.Option(help="smollm2, hf/PATH, vllm/PATH, openai/NAME, replay/FILE or mock/NAME")
    ] = "smollm2",
    estimators: Annotated[str, typer.Option(help="names, perhaps with knobs: a,b(samples=5); or auto")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="seed of everything that is drawn")] = 0,
    samples: Annotated[int | None, typer.Option(min=1, help="samples, for all that sample")] = None,
    system: Annotated[str | None, typer.Option(help="a system message")] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="of the reply")] = 64,
    entailment: Annotated[
        str | None, typer.Option(help="judge, or nli/PATH_OR_ID: do texts entail each other?")
    ] = None,
    embedding: Annotated[str | None, typer.Option(help="minilm, or encoder/PATH_OR_ID: texts as vectors")] = None,
    hedge: Annotated[str | None, typer.Option(help="put a hedge before the answer: first_person or general")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Ask one question: the answer, and how sure each estimator is.

    The numbers are raw confidence, not probability.
    """
    import asyncio

    from doxa import flow
    from doxa.choosing import make_plan
    from doxa.errors import Incomplete, Refused, UsageError
    from doxa.inquiry import Asking, Caller
    from doxa.loading import load_model
    from doxa.services import load_services, open_services
    from doxa.text.hedges import check_style
    from doxa.types import Question, Reply

    if not question.strip():
        raise UsageError("the question is empty", hint='write: doxa ask "Who wrote Hamlet?"')
    style = check_style(hedge) if hedge else None
    loaded = load_model(model)
    asked, asking = Question("question", question), Asking(seed=seed, max_tokens=max_tokens)
    services = load_services(entailment, embedding)

    async def story() -> Record:
        try:
            plan = await make_plan(
                loaded, [asked], estimators, asking, samples=samples, services=services, system=system
            )
            return (await flow.tell_all(plan, {"subject": Caller(loaded)}, open_services(services)))[0]
        finally:
            await loaded.close()

    record = asyncio.run(story())
    if not isinstance(record.reply, Reply):
        kind = Incomplete if record.reply.retryable else Refused
        raise kind(f"the model gave no answer: {record.reply.message}", hint=f"try: doxa doctor {model}")
    _tell(record, record.reply.text, style, as_json)


def _tell(record: Record, reply: str, style: Style | None, as_json: bool) -> None:
    from doxa.cli.layout import shortened
    from doxa.text import clean, hedged

    rows = [
        {"estimator": label, "confidence": c.value, "scale": c.scale.value, "answer": c.answer, "reason": c.reason}
        | ({"provenance": c.provenance} if c.provenance else {})
        for label, c in record.confidences.items()
    ]
    said = {"reply": reply} | ({"hedged": hedged(reply, style)} if style else {})
    if as_json:
        sys.stdout.write(json.dumps({**said, "confidences": rows}, ensure_ascii=False) + "\n")
        return
    sys.stdout.write(clean(said.get("hedged", reply)).strip() + "\n\n")
    width = max((len(str(row["estimator"])) for row in rows), default=0)
    for row in rows:
        value = row["confidence"]
        shown = f"{value:6.2f}" if isinstance(value, float) else "     —"
        note = str(row["reason"] or (f"of its own answer: {row['answer']}" if row["answer"] else ""))
        scale = "(any number)" if row["scale"] == "real" and value is not None else ""
        text = f"{row['estimator']:<{width}} {shown}  {' '.join(clean(part) for part in (scale, note) if part)}"
        sys.stdout.write(shortened(text.replace("\n", " ").rstrip(), 80) + "\n")
