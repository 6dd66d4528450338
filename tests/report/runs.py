"""Made-up runs in the shape that a run leaves behind: the usual one, and the edges of what may occur."""

from __future__ import annotations

import math
import random
from typing import Any

BANKS = {"capitals": 30, "elements": 25, "arithmetic": 25, "fictional": 20}
METHODS = (
    ("self_consistency", "reply", "unit", 0.79, 11),
    ("semantic_entropy", "reply", "real", 0.78, 11),
    ("p_true_own_samples", "reply", "unit", 0.74, 12),
    ("length_normalised_probability", "reply", "unit", 0.72, 1),
    ("sequence_probability", "reply", "unit", 0.70, 1),
    ("mean_token_entropy", "reply", "real", 0.68, 1),
    ("p_true", "reply", "unit", 0.61, 2),
    ("persistence", "reply", "unit", 0.60, 2),
    ("stated_two_turn", "reply", "unit", 0.55, 2),
    ("words_of_certainty", "reply", "unit", 0.52, 1),
    ("stated_top_k", "own", "unit", 0.63, 1),
    ("stated_one_turn", "own", "unit", 0.57, 1),
)
UNIT_ONLY = ("mean_confidence", "overconfidence", "brier_loss", "log_loss", "ece", "adaptive_ece", "mce", "smooth_ece")
RANKING = (
    "auroc",
    "auprc",
    "auprc_error",
    "aurc",
    "excess_aurc",
    "selective_auc",
    "prr",
    "accuracy_at_coverage",
    "coverage_at_risk",
    "accuracy",
)
LOW = ("aurc", "excess_aurc", "brier_loss", "log_loss", "ece", "adaptive_ece", "mce", "smooth_ece")


def measurement(name: str, value: float | None, half: float = 0.08, n: int = 96, reason: str = "") -> dict[str, Any]:
    """A measurement with an even interval, cut at 0 and 1 where the measure is."""
    low = high = None
    if value is not None:
        bounded = name not in ("rank", "overconfidence", "log_loss", "excess_aurc", "prr", "shift")
        low, high = value - half, value + half
        low, high = (max(0.0, low), min(1.0, high)) if bounded else (low, high)
    better = "zero" if name == "overconfidence" else "low" if name in LOW else "high"
    counts = {"n": n if value is not None else 0, "missing": 100 - n, "errors": 0}
    return {"name": name, "value": value, "low": low, "high": high, **counts, "better": better, "reason": reason}


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's interval, so that the made-up bins look like real ones."""
    z, p = 1.96, k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def bins(rng: random.Random, bend: float, n: int = 96) -> list[dict[str, Any]]:
    """Ten bins of a reliability diagram; `bend` > 0 is overconfident."""
    out = []
    for i in range(10):
        size = max(0, round(n * (0.04 + 0.012 * i) + rng.randint(-2, 3))) if i != 3 else 0
        low, high = i / 10, (i + 1) / 10
        if not size:
            out.append({"low": low, "high": high, "n": 0, **dict.fromkeys(BIN_VALUES)})
            continue
        right = min(size, max(0, round(size * ((low + high) / 2 - bend * i / 10 + rng.uniform(-0.06, 0.06)))))
        bounds = wilson(right, size)
        values = (low + high) / 2 + rng.uniform(-0.03, 0.03), right / size, *bounds
        out.append({"low": low, "high": high, "n": size, **dict(zip(BIN_VALUES, values, strict=True))})
    return out


BIN_VALUES = ("confidence", "accuracy", "accuracy_low", "accuracy_high")


def curve(auroc: float, base: float = 0.52, steps: int = 40) -> dict[str, list[float]]:
    """A risk-coverage curve that falls the further, the better the ranking."""
    coverage = [(i + 1) / steps for i in range(steps)]
    risk = [base * (1 - (2 * auroc - 1) * (1 - c) ** 0.7) + 0.012 * math.sin(9 * c) * (1 - c) for c in coverage]
    half = [0.05 + 0.12 * (1 - c) for c in coverage]
    pairs = list(zip(risk, half, strict=True))
    low, high = [max(0.0, r - h) for r, h in pairs], [min(1.0, r + h) for r, h in pairs]
    return {"coverage": coverage, "risk": risk, "low": low, "high": high}


def estimator(rng: random.Random, name: str, about: str, scale: str, auroc: float, calls: int) -> dict[str, Any]:
    """One estimator's block of metrics.json."""
    unit = scale == "unit"
    missing = rng.choice((0, 0, 3, 4))
    n = 100 - missing
    wide = UNIT_ONLY if unit else ()
    keys = (*RANKING, *wide)
    raw = {key: measurement(key, round(rng.uniform(0.1, 0.7), 3), rng.uniform(0.04, 0.1), n) for key in keys}
    raw["auroc"] = measurement("auroc", auroc, 0.08 + rng.uniform(-0.01, 0.03), n)
    raw["coverage_at_risk"] = measurement("coverage_at_risk", None, reason="no threshold keeps 5 % risk")
    calibrated = {key: measurement(key, round(rng.uniform(0.05, 0.22), 3), 0.04, n) for key in UNIT_ONLY[:-2]}
    return {
        "name": name,
        "about": about,
        "scale": scale,
        "n": n,
        "missing": missing,
        "errors": 1 if name == "p_true" else 0,
        "reasons": {"unreadable": missing} if missing else {},
        "usage": {"calls": 100 * calls, "tokens_in": 4100 * calls, "tokens_out": 700 * calls},
        "raw": raw,
        "calibrated": {"method": "isotonic", "folds": 5, **calibrated},
        "reliability": {"raw": bins(rng, 0.35) if unit else None, "calibrated": bins(rng, 0.04)},
        "risk_coverage": curve(auroc),
        "selective": {"coverage": 0.6, "risk": 0.18, "upper": 0.27, "threshold": 0.7} if auroc > 0.7 else None,
    }


def edge(rng: random.Random, strength: float) -> dict[str, Any]:
    """A pair of corners of the agreement table with its 96 points."""
    points = []
    for _ in range(96):
        x = rng.randint(0, 10) / 10
        y = min(1.0, max(0.0, round(strength * x + (1 - strength) * rng.betavariate(5, 1.5), 1)))
        points.append([x, y, rng.random() < 0.15 + 0.7 * x])
    return {"rank": measurement("rank", strength, 0.16), "points": points}


def agreement(rng: random.Random) -> dict[str, Any]:
    """The table of knows, says, does and world."""
    edges: dict[str, Any] = {
        "knows-says": {**edge(rng, 0.21), "gap": measurement("gap", 0.38, 0.06)},
        "knows-does": edge(rng, 0.35),
        "says-does": {**edge(rng, -0.12), "rational": measurement("rational", 0.58, 0.1)},
    }
    corners: dict[str, Any] = {"world": {"accuracy": measurement("accuracy", 0.48, 0.1, n=100)}}
    named = (
        ("knows", "self_consistency", "samples", 0.79, 0.11, 0.52),
        ("says", "stated_two_turn", "two turns", 0.55, 0.38, 0.86),
        ("does", "deed", "three acts", 0.61, 0.24, 0.71),
    )
    for corner, name, words, auroc, ece, mean in named:
        values = {"auroc": measurement("auroc", auroc, 0.085), "ece": measurement("ece", ece, 0.05)}
        corners[corner] = {"estimator": name, "label": words, "mean": measurement("mean", mean, 0.05), **values}
        edges[f"{corner}-world"] = {**values, "bins": bins(rng, ece)}
    said = ["It is right 48 % of the time and says 86 %.", "It knows more than it says: believe its samples."]
    return {"n": 96, "corners": corners, "edges": edges, "sentences": said}


def examples(rng: random.Random, texts: tuple[str, ...]) -> dict[str, Any]:
    """Four questions of each of the three kinds."""
    out: dict[str, Any] = {}
    for kind, right in (("surest_wrong", False), ("least_sure_right", True), ("word_belief_apart", False)):
        out[kind] = []
        for i in range(4):
            text = texts[(len(out) * 4 + i) % len(texts)]
            values = {key: rng.randint(0, 10) / 10 for key in ("belief", "word", "deed")}
            values["deed"] = None if i == 2 else values["deed"]
            own = {"question": f"capitals/{i}", "text": text, "reply": "It is Sydney.", "accepted": ["Canberra"]}
            out[kind].append({**own, "correct": right, **values, "estimator": "self_consistency"})
    return out


def changed_answers() -> dict[str, list[dict[str, Any]]]:
    """What own answers change: a gain, a loss without numbers, a shift and kept replies."""
    counts = {"n": 96, "missing": 4, "errors": 0}
    cells = {"right_right": 40, "right_wrong": 6, "wrong_right": 21, "wrong_wrong": 29}
    measured = {
        "reply": measurement("accuracy_first", 0.479, 0.1),
        "own": measurement("accuracy_second", 0.635, 0.1),
        "difference": measurement("accuracy_difference", 0.156, 0.1),
        "mcnemar": {**measurement("mcnemar", 0.0059), "low": None, "high": None, "reason": "exact binomial test"},
        "kappa": measurement("kappa", 0.44, 0.17),
    }
    gain = {"name": "stated_top_k", **counts, **cells, **measured}
    none = {"name": "stated_one_turn", "n": 0, "missing": 100, "errors": 0, **dict.fromkeys((*cells, *measured))}
    sides = (measurement("shift", 0.11, 0.05, n=46), measurement("shift", -0.021, 0.06, n=50))
    shares = (measurement("accuracy", 0.7, 0.1, n=80), measurement("accuracy", None, reason="no such answer"))
    return {
        "answers": [gain, none],
        "shifts": [{"name": "before_and_after", **counts, **dict(zip(("right", "wrong"), sides, strict=True))}],
        "kept": [{"name": "persistence", **counts, **dict(zip(("kept", "changed"), shares, strict=True))}],
    }


def thinking() -> dict[str, list[dict[str, Any]]]:
    """What thinking buys: a budget at which little and nothing is answered, early answers, and a vote."""
    counts = {"n": 96, "missing": 4, "errors": 0}
    utilities = {f"utility_{risk}": measurement("rank", value, 0.2) for risk, value in ((0, 0.2), (1, 0.1), (20, -1.8))}
    some = {"answered": measurement("answered", 0.3), "accuracy": measurement("accuracy", 0.66), **utilities}
    none = {key: measurement(key, 0.0, 0.0, n=0 if key == "accuracy" else 96) for key in some}
    label = "final_answer(budget=32)"
    budgets = [
        {"name": label, "budget": 32, "threshold": threshold, **counts, **values}
        for threshold, values in ((0.5, some), (0.95, none))
    ]
    measured = {key: measurement(key, 0.4) for key in ("accuracy", "needed", "unaided")}
    early = [
        {"name": f"early_answering(chains={n})", "chains": n, "unreadable": 3, **counts, **measured} for n in (1, 5)
    ]
    voted = {key: measurement("rank", 0.1) for key in ("broken", "solved", "difference", "mcnemar")}
    effect = {"effect": measurement("effect", None, reason="undefined: neither varies")}
    between = {"name": early[1]["name"], "against": early[0]["name"], **counts, **voted, **effect}
    return {"budgets": budgets, "early": early, "between": [between]}


QUESTIONS = (
    "What is the capital of Australia?",
    "What is the chemical symbol of tungsten?",
    "What is 17 × 24?",
    "Which currency is used in Kazakhstan?",
    "What is the capital of the Republic of Velmora?",
)


def groups(rng: random.Random) -> list[dict[str, Any]]:
    """Breakdowns by two tags."""
    pairs = [("bank", name) for name in BANKS] + [("continent", c) for c in ("Africa", "Asia", "Europe", "Oceania")]
    out = []
    for tag, value in pairs:
        blank = value == "fictional"
        accuracy = measurement("accuracy", 0.0 if blank else rng.uniform(0.3, 0.8), 0.15, n=24)
        gap = measurement("overconfidence", rng.uniform(-0.1, 0.5), 0.14, n=24)
        ranking = None if blank else measurement("auroc", rng.uniform(0.5, 0.9), 0.15, n=24)
        row = {"tag": tag, "value": value, "n": 24, "accuracy": accuracy, "estimator": "self_consistency"}
        out.append({**row, "overconfidence": gap, "auroc": ranking})
    return out


def run(**changes: Any) -> dict[str, Any]:
    """A run.json."""
    knobs = [{"name": row[0], "knobs": {"samples": 10} if row[4] == 11 else {}} for row in METHODS]
    return {
        "schema": "doxa.run/1",
        "id": "smollm2-quickstart-3f9a1c",
        "status": "complete",
        "title": "smollm2 on four banks of facts",
        "command": "doxa run bank:capitals,bank:elements --model smollm2 --estimators auto --seed 0",
        "model": {
            "spec": "smollm2",
            "name": "smollm2",
            "fingerprint": "gguf:8e1c…77",
            "base_url": "",
            "returned": ["SmolLM2-135M-Instruct"],
        },
        "questions": {"spec": "quickstart", "n": 100, "sha256": "9b1f" * 16, "banks": BANKS, "limit": None},
        "estimators": knobs,
        "asking": {"system": "Answer in a few words.", "template": None, "temperature": 0.0, "max_tokens": 64},
        "seed": 0,
        "versions": {"doxa": "0.1.0", "python": "3.11.9", "numpy": "2.3.4", "torch": "2.13.0"},
        "started": "2026-11-23T02:42:16Z",
        "seconds": 281.0,
        "calls": 2900,
        "calls_saved": 1140,
        "tokens_in": 78_000,
        "tokens_out": 14_300,
        "cost": None,
        "errors": {},
        **changes,
    }


def metrics(seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A metrics.json."""
    rng = random.Random(seed)
    return {
        "schema": "doxa.metrics/1",
        "n": 100,
        "verdicts": {"right": 48, "wrong": 50, "ungraded": 2, "errors": 0},
        "accuracy": measurement("accuracy", 0.48, 0.1, n=98),
        "sentences": [
            "It is right 48 % of the time and says 86 %.",
            "It knows more than it says: believe its samples, not its words.",
            "Refusing the least sure 40 % would leave 18 % errors (at most 27 %, 95 %).",
        ],
        "agreement": agreement(rng),
        "estimators": [estimator(rng, *row) for row in METHODS],
        "changes": changed_answers(),
        "thinking": thinking(),
        "groups": groups(rng),
        "examples": examples(rng, QUESTIONS),
        **changes,
    }


def emptied(value: Any) -> Any:
    """The same structure with every measurement, bin, curve and count emptied."""
    if isinstance(value, dict) and "better" in value:
        return {**value, "value": None, "low": None, "high": None, "n": 0, "reason": "too few answers"}
    if isinstance(value, dict) and "accuracy_low" in value:
        return {**value, "n": 0, **dict.fromkeys(BIN_VALUES)}
    if isinstance(value, dict):
        special = {"selective": None, "calibrated": None, "risk_coverage": {curve_key: [] for curve_key in CURVE}}
        blank = {**special, "tokens_in": None, "tokens_out": None, "belief": None, "word": None, "deed": None}
        return {key: blank[key] if key in blank else emptied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [] if value and isinstance(value[0], list) else [emptied(item) for item in value]
    return value


VERDICTS = ("right", "wrong", "ungraded", "errors")
CURVE = ("coverage", "risk", "low", "high")

HOSTILE = (
    "<script>document.title='pwned'</script>",
    "</title></style><img src=x onerror=\"document.title='pwned'\">",
    "\"'><svg onload=document.title='pwned'>",
    "{{ 7*7 }}{% raw %}<!-- ]]> &lt;b&gt;",
    "javascript:document.title='pwned'",
    "\x1b[31mred\x1b[0m\x07\u202eevil\u2066\u200b\ufeff\x00",
    "]]></desc></svg><script>document.title='pwned'</script>",
    "line one\u2028line two\r\n\t| a | b | [x](javascript:alert(1)) **bold** `code`",
    "𝕎𝕚𝕕𝕖 日本語の質問 🏳️‍🌈" * 8,
)


def poisoned(value: Any, texts: tuple[str, ...] = HOSTILE) -> Any:
    """The same structure with every free text replaced by, and every free key prefixed with, hostile text."""
    state = iter(range(10**9))

    def text() -> str:
        return texts[next(state) % len(texts)]

    def walk(item: Any, key: str = "") -> Any:
        if isinstance(item, dict):
            free = key in ("reasons", "errors", "banks", "versions", "knobs")
            return {f"{text()} {name}" if free else name: walk(part, name) for name, part in item.items()}
        if isinstance(item, list):
            return [walk(part, key) for part in item]
        fixed = key in ("schema", "status", "about", "scale", "better")
        return text() if isinstance(item, str) and not fixed else item

    return walk(value)


def edges_of_input() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Runs at the edges, by name."""
    usual, one, long = metrics(), metrics(), metrics()
    one["estimators"] = one["estimators"][:1]
    rng = random.Random(5)
    many = [estimator(rng, f"method_{i:02d}", "reply", "unit", 0.9 - i / 150, 1 + i % 9) for i in range(60)]
    for row in long["estimators"]:
        row["name"] = "_".join([row["name"]] * 6)
    perfect = measurement("accuracy", 1.0, 0.0, n=100)
    single = {**emptied(metrics()), "n": 1, "verdicts": {"right": 1, "wrong": 0, "ungraded": 0, "errors": 0}}
    none: dict[str, list[Any]] = {"surest_wrong": [], "least_sure_right": [], "word_belief_apart": []}
    failed = {"timeout": 3, "rate limit": 12}
    without = {"agreement": None, "groups": [], "examples": none, "changes": {}, "thinking": {}}
    return {
        "usual": (run(), usual),
        "nulls": (run(tokens_in=None, tokens_out=None, seconds=0.4), emptied(metrics())),
        "one question": (run(questions={**run()["questions"], "n": 1, "limit": 1}), single),
        "one estimator": (run(estimators=run()["estimators"][:1]), one),
        "no estimator": (
            run(estimators=[]),
            metrics(estimators=[], **without),
        ),
        "all right": (run(), metrics(accuracy=perfect, verdicts=dict(zip(VERDICTS, (100, 0, 0, 0), strict=True)))),
        "no agreement": (run(), metrics(agreement=None)),
        "no changes": (run(), {key: value for key, value in metrics().items() if key not in ("changes", "thinking")}),
        "interrupted": (run(status="interrupted", errors=failed, cost=1.234), usual),
        "sixty estimators": (run(), metrics(estimators=many)),
        "long names": (run(title="long " * 60, command="doxa run " + "x" * 300), long),
        "hostile": (poisoned(run()), poisoned(metrics())),
    }
