"""Reads what a run left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from doxa.errors import DataError


def load_run(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read `run.json` and `metrics.json` of a run directory.

    Raises `DataError` for a file that is missing, is not JSON, or is of another schema.
    """
    return _load(folder / "run.json", "doxa.run/1"), _load(folder / "metrics.json", "doxa.metrics/1")


def _load(path: Path, schema: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist", hint="give the directory of a finished run") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint="run the same doxa run command again") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found != schema:
        raise DataError(f"{path} has schema {found!r}, not {schema!r}", hint="use the doxa version that wrote it")
    return dict(content)
