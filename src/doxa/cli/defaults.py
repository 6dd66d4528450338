"""`doxa.yaml`: defaults of the verbs' options."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from doxa.errors import DataError


def read_defaults(path: Path, verbs: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The options the file sets per verb; `verbs` are those there are, with their options: as written, as named inside.

    Raises `DataError` for an unknown verb or option, or unsafe YAML.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is not plain YAML: {error}", hint="write `verb:` and below it `option: value`"
        ) from None
    if not isinstance(content, dict) or not all(isinstance(options, dict) for options in content.values()):
        raise DataError(f"{path} must map verbs to options", hint="for example: run: {seed: 1, samples: 5}")
    defaults: dict[str, Any] = {}
    for verb, options in content.items():
        _known(path, str(verb), list(verbs), "verb")
        named = {str(option).replace("-", "_"): value for option, value in options.items()}
        for option in named:
            _known(path, option, list(verbs[verb]), f"option of {verb}")
        defaults[str(verb)] = {verbs[verb][option]: value for option, value in named.items()}
    return defaults


def _known(path: Path, name: str, known: list[str], what: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
        raise DataError(f"{path} names {name!r}, which is no {what}", hint=hint)
