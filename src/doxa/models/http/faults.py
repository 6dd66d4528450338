"""What a response that is not an answer means: pure, from status, headers and body to a named fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from doxa.errors import Refused
from doxa.models.http.events import Cut, Malformed, completion
from doxa.models.http.reading import JSON, decode
from doxa.models.http.retry import requested_wait

KINDS = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    422: "bad_request",
    429: "rate_limited",
}
BUSY = {429, 503, 529}
"""Statuses by which a server asks for fewer calls at once."""
_NO_ACCESS = re.compile(r"auth|permission|api.?key|credential|account|organi[sz]ation|country|billing", re.I)
_FILTERED = re.compile(r"content.?(filter|policy|management)|moderation|safety", re.I)


@dataclass(frozen=True)
class Fault:
    """Why one attempt gave no answer."""

    kind: str
    message: str
    retry: bool = False
    wait: float | None = None
    """Seconds the server asks to wait."""
    busy: bool = False


def read_body(status: int, headers: Mapping[str, str], body: bytes, date: float) -> JSON | Fault:
    """The JSON object of a good response, or the fault of any other.

    Raises `Refused` where no request can succeed: bad key (401), no permission (403), no credit (402, quota).
    """
    if status != 200:
        return _refusal(status, headers, explain(body), date)
    if not body.strip():
        return Fault("empty_body", "the server answered with an empty body", retry=True)
    if body.lstrip().startswith(b"<"):
        return Fault("not_json", "the server answered with a web page; is the base URL that of an API?")
    try:
        value = completion(body) if is_stream(headers, body) else decode(body)
    except Cut as cut:
        return Fault("truncated_stream", str(cut), retry=True)
    except Malformed as malformed:
        return Fault("malformed_stream", one_line(str(malformed)), retry=True)
    except (ValueError, RecursionError):
        return Fault("not_json", "the server's answer is not JSON, or was cut", retry=True)
    if not isinstance(value, dict):
        return Fault("not_json", f"the server's answer is a JSON {type(value).__name__}, not an object")
    if value.get("error") and not value.get("choices"):
        code = value["error"].get("code") if isinstance(value["error"], dict) else None
        inner = code if isinstance(code, int) and code >= 400 else 400
        # Relays report a failed upstream with status 200, and so does a stream that fails on its way.
        return _refusal(inner, headers, _told(value), date)
    return value


def is_stream(headers: Mapping[str, str], body: bytes = b"") -> bool:
    """Whether a response is a stream of events; some servers send one unasked, some without saying so."""
    return headers.get("Content-Type", "").startswith("text/event-stream") or body.startswith((b"data:", b"event:"))


def _refusal(status: int, headers: Mapping[str, str], told: tuple[str, str], date: float) -> Fault:
    """Name the fault of an error status, and decide about another attempt."""
    sentence, code = told
    said = f"HTTP {status}: {sentence}" if sentence else f"HTTP {status}"
    filtered = bool(_FILTERED.search(code)) or "content_filter" in sentence
    barred = status == 403 and not filtered and _NO_ACCESS.search(code + sentence)
    if status in (401, 402) or "insufficient_quota" in code or barred:
        hint = "check the key and its permissions" if status in (401, 403) else "check the account's credit and limits"
        raise Refused(f"the server refuses all requests: {said}", hint=hint)
    if 300 <= status < 400:
        place = one_line(headers.get("Location", "nowhere"))
        return Fault("redirected", f"{said} to {place}; use that as base URL")
    if filtered and 400 <= status < 500 and status not in (408, 429):
        return Fault("content_filter", said)
    retry = status in (408, 409, 429) or status >= 500
    retry = {"true": True, "false": False}.get(headers.get("x-should-retry", ""), retry)
    kind = KINDS.get(status, "server_error" if status >= 500 else f"http_{status}")
    return Fault(kind, said, retry, requested_wait(headers, date), busy=status in BUSY)


def explain(body: bytes) -> tuple[str, str]:
    """The server's own sentence, and its code and type in one lower-case string."""
    try:
        return _told(decode(body))
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
        return ("" if text.lstrip().startswith("<") else one_line(text)), ""


def _told(value: Any) -> tuple[str, str]:
    error = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(error, dict):
        return one_line(str(error)), ""
    sentence = error.get("message") or error.get("detail") or ""
    code = " ".join(str(error.get(name) or "") for name in ("code", "type", "param"))
    return one_line(str(sentence)), code.lower()


def one_line(text: str, longest: int = 300) -> str:
    """Text from outside, fit for an error: printable, on one line, not too long."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"
