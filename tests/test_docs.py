"""Documentation cannot lie: links lead somewhere, commands and options exist, examples run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from doxa.cli.main import app

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
INDENTED = re.compile(r"^    (?:\$ )?(doxa .+)$", re.M)
INLINE = re.compile(r"`(doxa [a-z][^`]*)`")
COMMAND: Any = typer.main.get_command(app)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    local = [link for link in LINK.findall(page.read_text()) if not re.match(r"https?:|mailto:", link)]
    assert [link for link in local if not (page.parent / link).exists()] == []


def commands(page: Path) -> list[str]:
    text = page.read_text()
    fenced = [
        line.removeprefix("$ ") for lang, body in FENCE.findall(text) if lang != "python" for line in body.split("\n")
    ]
    lines = [*fenced, *INDENTED.findall(text), *INLINE.findall(text)]
    return [line.split("  ")[0].split(" #")[0].strip() for line in lines if line.startswith("doxa ")]


SAID = [(page, line) for page in PAGES for line in commands(page)]


@pytest.mark.parametrize(("page", "line"), SAID, ids=lambda value: str(value)[-60:])
def test_commands_and_options_exist(page: Path, line: str) -> None:
    words = shlex.split(line.split("|")[0].split(">")[0])[1:]
    if words and words[0].startswith("-"):
        return
    verb = COMMAND.commands.get(words[0])
    assert verb is not None, f"{page.name} names the verb {words[0]}, which does not exist"
    if hasattr(verb, "commands") and len(words) > 1:
        assert set(words[1].split("|")) <= set(verb.commands)
        return
    known = {option for parameter in verb.params for option in [*parameter.opts, *parameter.secondary_opts]}
    assert {word.split("=")[0] for word in words if word.startswith("-")} <= known | {"-h", "--help"}


EXAMPLES = [
    (page, number, body)
    for page in PAGES
    for number, (lang, body) in enumerate(FENCE.findall(page.read_text()))
    if lang == "python"
]


@pytest.mark.parametrize(("page", "number", "body"), EXAMPLES, ids=lambda value: str(value)[-40:] if value else "")
def test_examples_run(page: Path, number: int, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # A real module, so that dataclasses find their annotations.
    import sys
    import types

    module = types.ModuleType(f"example_{page.stem}_{number}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(body, f"{page.name}, example {number}", "exec"), module.__dict__)
    assert len(vars(module)) > 8
