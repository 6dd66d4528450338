"""Logs of other tools, read as recorded replies: `lm_eval:samples.jsonl`, `inspect_ai:log.eval`, `uqlm:result.json`.

Each file `_name.py` holds a reader `name(path)` of one tool's files; `reading` holds what they share. `doxa run` takes
such an address as questions and, after `replay/`, as the model; `doxa score` takes it as a table.
"""

from __future__ import annotations

from doxa import registry
from doxa.recordings.reading import Recording, existing_file

__all__ = ["Recording", "recordings", "split"]


def split(address: str) -> tuple[str, str] | None:
    """Reader and path of an address `reader:path`; `None` where it begins with no reader's name."""
    name, colon, path = address.partition(":")
    return (name, path) if colon and name in registry.names("recordings") else None


def recordings(address: str) -> list[Recording]:
    """All recordings of an address that begins with a reader's name. Raises `DataError` naming file, place, field."""
    name, path = split(address) or ("", address)
    found: list[Recording] = registry.find("recordings", name)(existing_file(path))
    return found
