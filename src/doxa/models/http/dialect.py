"""What one server understands: found out from its complaints, once, then remembered."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from doxa.models.http.reading import JSON
from doxa.types import Request

_ONE_ONLY = re.compile(r"""(?<!\w)['"`]?n['"`]?(?!\w)|one completion choice""", re.I)


@dataclass
class Dialect:
    """How to phrase a request for a server; `learn` corrects it from the sentence of a 400."""

    length: str = "max_tokens"
    """The field for the longest answer; newer OpenAI models want another."""
    most_top: int | None = None
    """The most alternatives per token the server gives, once it has named that number."""
    logprobs: bool = True
    """Whether log-probabilities may be asked for; some models refuse the whole request if they are."""
    several: bool = True
    """Whether `n` in one call gives n choices."""
    stream: bool = False
    """Whether answers are to come as streams of events."""
    bill: bool = True
    """Whether a stream may be asked to tell how many tokens it took."""

    def body(self, model: str, request: Request, *, n: int, seed: int | None) -> JSON:
        """The JSON of a chat completion; what is at its default is left out, for servers that reject unknown fields."""
        messages = [{"role": m.role, "content": clean(m.content)} for m in request.messages]
        body: dict[str, Any] = {"model": model, "messages": messages, "temperature": request.temperature}
        body[self.length] = request.max_tokens
        if request.prefill:
            messages.append({"role": "assistant", "content": clean(request.prefill)})
            body |= {"continue_final_message": True, "add_generation_prompt": False}  # vLLM and SGLang need both
        if request.top_p != 1.0:
            body["top_p"] = request.top_p
        if request.stop:
            body["stop"] = [clean(text) for text in request.stop]
        if seed is not None:
            body["seed"] = seed
        if n > 1 and self.several:
            body["n"] = n
        if request.top_logprobs is not None and self.logprobs:
            body["logprobs"] = True
            top = request.top_logprobs if self.most_top is None else min(request.top_logprobs, self.most_top)
            body |= {"top_logprobs": top} if top else {}
        if self.stream:
            body |= {"stream": True} | ({"stream_options": {"include_usage": True}} if self.bill else {})
        return body

    def learn(self, complaint: str, sent: JSON) -> None:
        """Adapt to the complaint of a 400 or 422 about `sent`; the caller sends again if the body then differs."""
        if "max_completion_tokens" in complaint and "max_tokens" in sent:
            self.length = "max_completion_tokens"
        elif "logprobs" in complaint and "logprobs" in sent:
            asked = sent.get("top_logprobs", 0)
            smaller = [int(digits) for digits in re.findall(r"\d+", complaint) if int(digits) < asked]
            self.most_top = max(smaller, default=self.most_top)
            self.logprobs = bool(smaller)
        elif "stream_options" in complaint and "stream_options" in sent:
            self.bill = False
        elif "n" in sent and _ONE_ONLY.search(complaint):
            self.several = False


def seed_of(seed: int | None, index: int) -> int | None:
    """The seed of choice `index` where a server gives one choice per call: the request's own for the first."""
    if seed is None or index == 0:
        return seed
    return int.from_bytes(hashlib.blake2b(f"{seed}/{index}".encode(), digest_size=4).digest(), "big") >> 1


def clean(text: str) -> str:
    r"""Text that UTF-8 can carry: a lone surrogate becomes its escape, as in `\ud800`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
