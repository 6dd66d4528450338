"""`doxa report`: draws the page of a run again, or its summary as Markdown."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="the directory of a run")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="an .html or .md file [RUN/report.html]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="only JSON on stdout")] = False,
) -> None:
    """Draw the report of a run.

    One page without network or scripts, or Markdown where the name ends in .md.
    """
    from doxa.errors import UsageError
    from doxa.files import write
    from doxa.report.files import load_run
    from doxa.report.html import render_html
    from doxa.report.markdown import render_markdown
    from doxa.report.terminal import summary

    path = out or run / "report.html"
    if path.suffix not in (".html", ".md"):
        raise UsageError(f"cannot write {path.name}", hint="the name must end in .html or .md")
    info, metrics = load_run(run)
    render = render_markdown if path.suffix == ".md" else render_html
    write(render(info, metrics), path)
    found = {"run": info["id"], "report": str(path)}
    sys.stdout.write((json.dumps(found) if as_json else summary(info, metrics, page=str(path))) + "\n")
