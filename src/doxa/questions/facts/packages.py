"""Packages that hold facts, loaded on first use."""

from __future__ import annotations

import importlib
from typing import Any

from doxa.errors import UsageError


def package(name: str) -> Any:
    """Import a package of the `banks` extra. Raises `UsageError` if it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        raise UsageError(f"this bank needs the package {error.name}", hint="pip install 'doxa[banks]'") from None
