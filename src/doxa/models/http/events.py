"""Server-sent events: bytes in any pieces to events, and the events of a chat completion to one body.

Source of the format: WHATWG HTML Living Standard, "Server-sent events"; of the chunks: OpenAI's API reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from doxa.models.http.reading import JSON, decode

DONE = "[DONE]"
"""The data of the event by which a chat completion says that nothing is missing."""
_ABOUT = ("model", "system_fingerprint", "usage")


class Cut(Exception):
    """A stream ended before it said so; what came is a part of an answer."""


class Malformed(Exception):
    """A stream is whole and yet no chat completion."""


@dataclass
class Events:
    r"""Turns pieces of a stream into the data of its events; a piece may end anywhere, even inside a character.

    >>> events = Events()
    >>> events.feed(b"data: a\r\nda"), events.feed(b"ta: b\n\n: still here\n"), events.feed(b"\ndata: c\n\n")
    ([], ['a\nb'], ['c'])
    """

    _line: bytes = b""
    """What has come of a line that is not yet at its end."""
    _data: list[str] = field(default_factory=list)
    _begun: bool = False
    _returned: bool = False
    """Whether the last byte was a carriage return: a line feed right behind it belongs to the same end of a line."""

    def feed(self, piece: bytes) -> list[str]:
        """The data of the events that this piece completes."""
        if not piece:
            return []
        text = self._line + (piece.removeprefix(b"\n") if self._returned else piece)
        self._returned = piece.endswith(b"\r")
        if not self._begun and len(text) >= 3:
            self._begun, text = True, text.removeprefix(b"\xef\xbb\xbf")
        *lines, self._line = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        return [event for line in lines if (event := self._take(line)) is not None]

    def _take(self, line: bytes) -> str | None:
        """The data of the event that a line completes, if it does."""
        if not line:
            event, self._data = "\n".join(self._data), []
            return event or None
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
        return None


def completion(stream: bytes) -> JSON:
    """The body that the same answer would have without streaming.

    Raises `Cut` where the end is missing: no `[DONE]`, or a choice without its finish_reason; `Malformed` where a chunk
    is no JSON object, or a choice goes on after its end or ends in two ways.
    """
    events = Events().feed(stream + b"\n\n")
    done = events.index(DONE) if DONE in events else None
    body: JSON = {}
    choices: dict[int, _Choice] = {}
    try:
        for chunk in map(_object, events[:done]):
            if chunk.get("error") and not chunk.get("choices"):
                return chunk  # servers often close the stream on it
            body |= {name: chunk[name] for name in _ABOUT if chunk.get(name) is not None}
            for part in _parts(chunk):
                choices.setdefault(_index(part), _Choice()).add(part)
    except Malformed:
        if done is not None:
            raise
    if done is None:
        raise Cut(f"the stream ended without {DONE}")
    if any(choice.finish is None for choice in choices.values()):
        raise Cut("an answer in the stream has no finish_reason")
    return body | {"choices": [choice.whole(index) for index, choice in sorted(choices.items())]}


def _parts(chunk: JSON) -> list[Any]:
    parts = chunk.get("choices") or []
    if not isinstance(parts, list):
        raise Malformed("the choices in the stream are not a list")
    return parts


def _index(part: Any) -> int:
    if not isinstance(part, dict):
        raise Malformed("a choice in the stream is not an object")
    return index if isinstance(index := part.get("index"), int) else 0


def _object(event: str) -> JSON:
    try:
        chunk = decode(event.encode())
    except (ValueError, RecursionError):
        raise Malformed("a chunk of the stream is not JSON") from None
    if not isinstance(chunk, dict):
        raise Malformed("a chunk of the stream is not an object")
    return chunk


@dataclass
class _Choice:
    """One answer as it grows."""

    finish: str | None = None
    _texts: dict[str, list[str]] = field(default_factory=dict)
    _tokens: list[Any] = field(default_factory=list)
    _logprobs: bool = False

    def add(self, part: JSON) -> None:
        """Add what a chunk says of it."""
        delta, logprobs, finish = part.get("delta"), part.get("logprobs"), part.get("finish_reason")
        for name in ("content", "refusal"):
            text = delta.get(name) if isinstance(delta, dict) else None
            if text and self.finish is not None:
                raise Malformed("an answer in the stream goes on after its end")
            if isinstance(text, str):
                self._texts.setdefault(name, []).append(text)
        tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
        if isinstance(tokens, list):
            self._logprobs = True
            self._tokens += tokens
        if isinstance(finish, str) and finish:
            if self.finish not in (None, finish):
                raise Malformed(f"an answer in the stream ends in two ways: {self.finish}, {finish}")
            self.finish = finish

    def whole(self, index: int) -> JSON:
        """It as a choice of a body that was not streamed."""
        message = {name: "".join(texts) for name, texts in self._texts.items()}
        logprobs = {"content": self._tokens} if self._logprobs else None
        return {"index": index, "message": message, "finish_reason": self.finish, "logprobs": logprobs}
