"""Models by their written names."""

from pathlib import Path

import pytest

import doxa
from doxa.errors import UsageError
from doxa.models.openai import OpenAI
from doxa.models.replay import Replay


def test_a_name_is_a_member_and_what_it_loads(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text('{"prompt": "a", "reply": "b"}')
    replay = doxa.load_model(f"replay/{file}")
    assert isinstance(replay, Replay)
    assert replay.path == file
    model = doxa.load_model("openai/org/model:free", base_url="http://localhost:1/v1", timeout=3)
    assert isinstance(model, OpenAI)
    assert (model.name, model.timeout) == ("org/model:free", 3)


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("gpt-4o", "'openai/gpt-4o'"),
        ("opnai/gpt-4o", "'openai/gpt-4o'"),
        ("replya/x", "'replay/x'"),
        ("openai", "openai/NAME"),
        ("openai/", "openai/NAME"),
        ("zzz/x", "providers are"),
        ("", "providers are"),
    ],
)
def test_a_wrong_name_says_what_was_meant(spec: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        doxa.load_model(spec)
    assert hint in refused.value.hint


def test_a_bare_path_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("")
    for path, provider in ((tmp_path / "a.jsonl", "replay"), (tmp_path, "hf")):
        with pytest.raises(UsageError) as refused:
            doxa.load_model(str(path))
        assert refused.value.hint == f"did you mean '{provider}/{path}'?"


def test_an_unknown_knob_is_refused() -> None:
    with pytest.raises(UsageError, match="no knob 'temperature'"):
        doxa.load_model("openai/x", temperature=1)
