"""From the JSON of a chat completion to outcomes. Pure; whatever a server sends, nothing here raises.

What is missing or impossible becomes a named failure or `None`:

    no choices, or none that is an object            Failure "no_choices"
    no text in a choice                              Failure "no_content" (a refusal's sentence is a text)
    finish_reason content_filter                     Failure "content_filter"
    no finish_reason                                 Failure "truncated"
    logprobs null or absent though asked for         Reply with `tokens=None`
    a log-probability that is NaN, null, positive,
      -inf, or -9999 and below ("not in the top k")  `Token.logprob=None`; such alternatives are left out
    usage missing, or a fraction                     `tokens_in`, `tokens_out` None: unknown, not 0

Tokens are kept as sent even where they do not join to the text (stop strings, characters split over tokens): who needs
positions must compare.
"""

from __future__ import annotations

from typing import Any

from doxa.models.http.dialect import clean
from doxa.models.http.reading import JSON
from doxa.types import Failure, Outcome, Reply, Token, Usage

BELOW_TOP_K = -9999.0
"""vLLM's stand-in for minus infinity."""
ROUNDING = 1e-4
"""How far above 0 the logarithm of a probability of 1 may come out in single precision."""


def outcomes(body: JSON) -> list[Outcome]:
    """One outcome per choice, in the order of their indices; the call's usage is on the first reply."""
    choices = body.get("choices")
    choices = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    if not choices:
        return [Failure("no_choices", "the server's answer has no choices")]
    if all(type(choice.get("index")) is int for choice in choices):
        choices.sort(key=lambda choice: int(choice["index"]))
    bill, result = _usage(body.get("usage")), list[Outcome]()
    for choice in choices:
        outcome = _outcome(choice, _name(body), bill)
        bill = Usage() if isinstance(outcome, Reply) else bill
        result.append(outcome)
    return result


def _outcome(choice: JSON, model: str, usage: Usage) -> Outcome:
    finish, text = choice.get("finish_reason"), _text(choice.get("message"))
    if finish == "content_filter":
        return Failure("content_filter", "the server's filter withheld the answer")
    if not isinstance(finish, str):
        return Failure("truncated", "the answer has no finish_reason: it may have been cut", retryable=True)
    if text is None:
        return Failure("no_content", f"the answer has no text (finish_reason {clean(finish)!r})")
    return Reply(
        text=text,
        tokens=_tokens(choice.get("logprobs")),
        finish="length" if finish == "length" else "stop",
        model=model,
        usage=usage,
    )


def _text(message: Any) -> str | None:
    """The text of a message: a string, parts of text, or the sentence with which the model refuses."""
    if not isinstance(message, dict):
        return None
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str)) if parts else None
    if content is None:
        content = message.get("refusal")
    return clean(content) if isinstance(content, str) else None


def _name(body: JSON) -> str:
    """The model's name as returned, with the server's fingerprint as its revision."""
    name, revision = body.get("model"), body.get("system_fingerprint")
    name = clean(name) if isinstance(name, str) else ""
    return f"{name}@{clean(revision)}" if isinstance(revision, str) and revision else name


def _usage(usage: Any) -> Usage:
    usage = usage if isinstance(usage, dict) else {}
    return Usage(1, _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))


def _count(value: Any) -> int | None:
    """A count, also as a float like 12.0; anything else is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 1e15 and value == int(value) else None


def _tokens(logprobs: Any) -> tuple[Token, ...] | None:
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return tuple(_token(entry) for entry in content) if isinstance(content, list) else None


def _token(entry: Any) -> Token:
    entry = entry if isinstance(entry, dict) else {}
    return Token(_string(entry.get("token")), logprob(entry.get("logprob")), _top(entry.get("top_logprobs")))


def _top(entries: Any) -> tuple[tuple[str, float], ...]:
    """Alternatives, best first; of two with the same text the likelier."""
    best: dict[str, float] = {}
    for entry in entries if isinstance(entries, list) else ():
        value = logprob(entry.get("logprob")) if isinstance(entry, dict) else None
        if value is not None:
            text = _string(entry.get("token"))
            best[text] = max(value, best.get(text, value))
    return tuple(sorted(best.items(), key=lambda item: -item[1]))


def logprob(value: Any) -> float | None:
    """A natural logarithm of a probability, or `None` for what cannot be one or stands for "below the top k"."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(float(value), 0.0) if BELOW_TOP_K < value <= ROUNDING else None


def _string(value: Any) -> str:
    return clean(value) if isinstance(value, str) else ""
