"""The nouns (frozen dataclasses) and the verbs (protocols) that all rooms share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from doxa.inquiry import Inquiry

    Floats = NDArray[np.float64]

Kind = Literal["open", "choice", "boolean", "number", "date"]
KINDS: tuple[Kind, ...] = ("open", "choice", "boolean", "number", "date")


class Scale(Enum):
    """What a raw confidence means: `UNIT` lies in [0, 1]; `REAL` is any finite number. Higher is surer in both."""

    UNIT = "unit"
    REAL = "real"


class Access(Enum):
    """What an estimator must be able to see of the model."""

    TEXT = "text"
    LOGPROBS = "logprobs"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its accepted answers.

    `answers == ()` means nothing is right and abstaining is; `answers is None` means the gold answer is unknown.
    For `kind="choice"` the answers are texts of `choices`. `cluster` is the only unit of resampling and splitting.
    """

    id: str
    text: str = ""
    answers: tuple[str, ...] | None = None
    kind: Kind = "open"
    choices: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()
    """A whole conversation instead of `text`; its last message is the question."""
    context: str | None = None
    cluster: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Labels for breakdowns and strata (bank, language, continent …)."""
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Default the cluster to the id."""
        if not self.cluster:
            object.__setattr__(self, "cluster", self.id)


@dataclass(frozen=True, slots=True)
class Request:
    """All that determines an answer of a model; equal requests to one model are one call."""

    messages: tuple[Message, ...]
    prefill: str = ""
    """Text the assistant's turn starts with; not part of the reply's text."""
    n: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 64
    stop: tuple[str, ...] = ()
    seed: int | None = None
    """Fixes the random stream of a sampled answer; `None` where nothing is drawn (temperature 0)."""
    top_logprobs: int | None = None
    """`None`: no log-probabilities asked for; 0: of the chosen tokens; k: and of the k likeliest alternatives."""
    statistics: tuple[str, ...] = ()
    """Reductions of the full next-token distribution stored on each token, e.g. `entropy`."""
    continuation: str | None = None
    """With `Model.score`: the assistant text whose tokens are teacher-forced after `prefill`."""
    decoding: str | None = None
    """How tokens are chosen other than by drawing each from its distribution: one of `Capabilities.decodings`."""
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a reply; `logprob` is the natural logarithm, `None` where it is unknown."""

    text: str
    logprob: float | None = None
    top: tuple[tuple[str, float], ...] = ()
    """The likeliest alternatives (text, log-probability), best first."""
    stats: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What something cost; `None` tokens mean the server did not say."""

    calls: int = 0
    tokens_in: int | None = 0
    tokens_out: int | None = 0

    def __add__(self, other: Usage) -> Usage:
        """Add two bills; unknown plus anything is unknown."""
        return Usage(
            self.calls + other.calls,
            None if self.tokens_in is None or other.tokens_in is None else self.tokens_in + other.tokens_in,
            None if self.tokens_out is None or other.tokens_out is None else self.tokens_out + other.tokens_out,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that arrived whole; `finish` is stop or length (a cut stream is a `Failure`)."""

    text: str
    tokens: tuple[Token, ...] | None = None
    finish: str = "stop"
    model: str = ""
    """The model's name as the server returned it."""
    usage: Usage = Usage(calls=1)


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that gave no answer: a third outcome, counted and shown, never a score."""

    kind: str
    message: str
    retryable: bool = False
    attempts: int = 1


Outcome = Reply | Failure


@dataclass(frozen=True, slots=True)
class Part:
    """Confidence in one part of a reply: a token, sentence or claim at `[start, end)` of the reply's text."""

    start: int
    end: int
    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Confidence:
    """One estimator's number about one reply. `value is None` has a `reason`; never NaN, never a made-up 0.

    `answer` is set when the number is about the method's own answer, which is then graded separately.
    """

    value: float | None
    scale: Scale = Scale.UNIT
    reason: str = ""
    answer: str | None = None
    parts: tuple[Part, ...] = ()
    details: Mapping[str, float | None] = field(default_factory=dict)
    """What the number was made of, where a reader may want it: each act of a deed, each guess of a list."""
    provenance: str = ""
    """What the number rests on where that can differ: the equivalence used, the signal that was fallen back to."""
    evidence: tuple[str, ...] = ()
    """Texts that show where the doubt is, by which something can be looked up: reasons that contradict each other."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Is the reply right? `correct is None` means it could not be graded, for `reason`."""

    correct: bool | None
    grade: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """Probabilities of given continuations: `probabilities` sum to 1 over the options, `mass` is their raw sum."""

    options: tuple[str, ...]
    logprobs: tuple[float, ...]
    """Sum of the token log-probabilities of each option."""
    probabilities: tuple[float, ...]
    mass: float
    tokens: tuple[tuple[Token, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Entailment:
    """Does a premise entail a hypothesis? Three probabilities that sum to 1."""

    contradiction: float
    neutral: float
    entailment: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document: its text, its file, its first and last line there, and how well it fits a query."""

    text: str
    source: str
    first: int
    last: int
    score: float
    """Of the retriever's own scale; higher fits better."""


@dataclass(frozen=True, slots=True)
class Record:
    """One question's whole story."""

    question: Question
    reply: Outcome
    verdict: Verdict
    confidences: Mapping[str, Confidence]
    own_verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """Verdicts on the methods' own answers, for confidences that are about those."""
    usage: Mapping[str, Usage] = field(default_factory=dict)
    """Per estimator: what it would have cost alone."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Per estimator: the failed call that left it without a number."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One reported number with its 95 % interval and counts; `better` is low, high or zero."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    missing: int = 0
    errors: int = 0
    better: str = "high"
    reason: str = ""
    """Why there is no value, or how the interval was made."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model offers beyond text."""

    logprobs: bool = False
    top_logprobs: int = 0
    statistics: tuple[str, ...] = ()
    score: bool = False
    """Teacher forcing of a given continuation."""
    hidden: bool = False
    layers: int = 0
    """How many layers show their hidden states; 0 is unknown or none."""
    prefill: bool = False
    seed: bool = False
    n: bool = False
    chat: bool = True
    decodings: tuple[str, ...] = ()
    """Names that `Request.decoding` may have."""


@runtime_checkable
class Model(Protocol):
    """A model is anything that answers requests.

    `generate` returns, per request, `n` outcomes; it never raises for one request's failure (a `Failure` is data), but
    raises `Refused` where no request can succeed. `score` returns, per request, a reply whose tokens are those of
    `request.continuation`. `fingerprint` names the weights or the endpoint's model; `base_url` is "" for local models.
    """

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def base_url(self) -> str:
        """Where it is asked."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this model offers."""
        ...

    @property
    def fingerprint(self) -> str:
        """An identity that changes when answers may."""
        ...

    async def generate(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """Answer each request `n` times."""
        ...

    async def score(self, requests: Sequence[Request]) -> list[Outcome]:
        """Teacher-force each request's `continuation`."""
        ...

    async def close(self) -> None:
        """Free what is held: threads, connections."""
        ...


class Service(Protocol):
    """What an inquiry uses besides models."""

    @property
    def name(self) -> str:
        """What people call it; labels every number that rests on it."""
        ...

    @property
    def fingerprint(self) -> str:
        """An identity that changes when answers may."""
        ...


class Entailer(Service, Protocol):
    """A service that tells whether texts entail each other."""

    async def entail(self, inquiry: Inquiry, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Judge each pair (premise, hypothesis); whatever has to be asked for that is asked by `inquiry`."""
        ...


class Embedder(Service, Protocol):
    """A service that maps texts to vectors of length 1."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (texts, width) of Euclidean length 1."""
        ...


class Retriever(Service, Protocol):
    """A service that finds passages of documents."""

    async def retrieve(self, query: str, k: int) -> list[Passage]:
        """At most `k` passages, the best first; none where nothing fits."""
        ...


class Estimator(Protocol):
    """One inquiry to one confidence: a frozen dataclass whose fields are the method's knobs.

    Class attributes: `access`, `statistics` (needed on the reply's tokens), `implements` (ids of published systems)
    and, where likely alternatives to the reply's tokens are wanted, their number `alternatives`; it may be 0 for an
    estimator that runs without log-probabilities but uses those there are. `dear = True` says that a call costs many
    times the tokens of its answer, `open_ended = True` that how many calls it makes follows from what is written: from
    steps, claims, sentences or tokens.
    """

    access: Access
    statistics: tuple[str, ...]
    implements: tuple[str, ...]

    async def estimate(self, inquiry: Inquiry) -> Confidence:
        """Collect by the inquiry's asks, then apply the method's pure function."""
        ...


class Comparer(Protocol):
    """An estimator that compares questions: `estimate_all` in place of `estimate`."""

    async def estimate_all(self, inquiries: Sequence[Inquiry]) -> list[Confidence]:
        """One confidence for each inquiry, in their order; called once, when all replies are there."""
        ...


class Learner(Protocol):
    """An estimator that learns: what counts is the number that a fitted copy gives for other questions."""

    async def fit(self, inquiries: Sequence[Inquiry], correct: Sequence[bool]) -> Self:
        """A fitted copy; `correct` is about what the unfitted `estimate` is about: its own answer, or the reply.

        Raises `Unavailable` when so little cannot be learnt from.
        """
        ...


class Calibrator(Protocol):
    """Raw confidence and outcomes to probability: a frozen dataclass; what is learnt stands in fields with `_`.

    `confidence` is (n,); where the class attribute `several` is true also (n, k), a column for each estimator and
    `None` where one is missing. Where `grouped` is true, `by` may give groups: labels (n,), several labels (n, k), or
    memberships (n, g) as truth values. State is JSON.
    """

    def fit(self, *, confidence: Any, correct: Any, by: Any = None) -> Self:
        """Return a fitted copy; the object itself is unchanged."""
        ...

    def predict(self, *, confidence: Any, by: Any = None) -> Floats:
        """Map raw confidence to probability of being right."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        ...


Act = Literal["answer", "abstain", "retrieve", "search", "reflect", "escalate", "keep_local", "mask"]
ACTS: tuple[Act, ...] = ("answer", "abstain", "retrieve", "search", "reflect", "escalate", "keep_local", "mask")


@dataclass(frozen=True, slots=True)
class Case:
    """What a policy decides on: everything known about one question but whether the reply is right."""

    confidence: float | None
    """As the estimator gave it, of any scale; `None` is missing."""
    probability: float | None = None
    """The calibrated probability of being right, where there is a calibrator."""
    options: Mapping[str, float] = field(default_factory=dict)
    """Candidate answers and their scores, for policies that decide on a set of them."""
    details: Mapping[str, float | None] = field(default_factory=dict)
    """Further numbers by name: the details of the confidence, a model's price."""
    evidence: tuple[str, ...] = ()
    """The evidence of the confidence: what a policy may have looked up."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What holds of a policy's decisions: `quantity` is at most `bound`, with probability at least 1 − `delta`.

    The probability is over the answers it was fitted on. `delta is None`: it holds on average over those instead.
    """

    quantity: str
    """What is bounded, e.g. `share of wrong answers among those given`."""
    bound: float
    delta: float | None
    n: int
    """Graded answers (or clusters) it rests on."""
    method: str
    assumes: str = "new questions are drawn like those it was fitted on"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy would do; `flow.act` carries it out. `payload` is a set of answers, a model's name, a text."""

    act: Act
    confidence: float | None
    payload: Any = None
    guarantee: Guarantee | None = None
    reason: str = ""


class Policy(Protocol):
    """A case to a decision: a frozen dataclass whose fields are knobs; what is learnt stands in fields with `_`.

    A policy is pure: it never asks a model. State is JSON.
    """

    def fit(self, *, confidence: Floats, correct: Floats, cluster: Sequence[Any] | None = None) -> Self:
        """Return a fitted copy; `confidence` is what cases will hold as `confidence`."""
        ...

    def decide(self, case: Case) -> Decision:
        """Decide on one question."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Knobs and state as JSON-able values."""
        ...


class Bank(Protocol):
    """Questions made from facts: a frozen dataclass whose fields are knobs."""

    def questions(self) -> list[Question]:
        """All questions, in a fixed order, with stable ids."""
        ...
