"""Data sets of the Hugging Face Hub, as far as they are stored (or converted) as Parquet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from doxa.errors import UsageError
from doxa.questions.readers.parquet import read_parquet
from doxa.types import Question

_ADDRESS = re.compile(
    r"hf://(?P<repo>[\w.-]+/[\w.-]+)(?::(?P<config>[\w.-]+))?(?:@(?P<rev>[\w.-]+))?(?:/(?P<split>[\w.-]+))?"
)
_CONVERTED = "refs/convert/parquet"


class Address(NamedTuple):
    """A data set's place: repository, and where given its configuration, revision and split."""

    repo: str
    config: str | None
    revision: str | None
    split: str | None


def parse(address: str) -> Address:
    """Read ``hf://org/name[:config][@revision][/split]``. Raises `UsageError` for anything else.

    >>> parse("hf://org/name:main@v1/test")
    Address(repo='org/name', config='main', revision='v1', split='test')
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise UsageError(f"{address!r} is not a data set's address", hint="hf://org/name[:config][@revision][/split]")
    return Address(match["repo"], match["config"], match["rev"], match["split"])


def read_hub(address: str) -> Sequence[Question]:
    """All questions of one split of a data set. Raises `UsageError` when it cannot be had or is not unambiguous.

    The Parquet files of the repository are used; if it has none, those that the Hub has converted.
    """
    place = parse(address)
    api = _hub()
    try:
        files, revision = _files(api, place)
        paths = [
            Path(api.hf_hub_download(place.repo, name, repo_type="dataset", revision=revision))
            for name in choose(files, place)
        ]
    except UsageError:
        raise
    except Exception as error:  # the client's errors are those of whichever HTTP library it is built on
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        hint = "check the name, your network and, for private data, `hf auth login`"
        raise UsageError(f"{address} cannot be fetched: {reason}", hint=hint) from error
    return read_parquet(*paths)


def _hub() -> Any:
    """The package huggingface_hub."""
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ModuleNotFoundError:
        raise UsageError("hf:// needs the package huggingface_hub", hint="pip install 'doxa[hf]'") from None
    return huggingface_hub


def _files(api: Any, place: Address) -> tuple[list[str], str | None]:
    """The Parquet files of a repository, or of the Hub's conversion of it, and the revision they are in."""
    for revision in (place.revision, _CONVERTED):
        try:
            names = [file.rfilename for file in api.HfApi().dataset_info(place.repo, revision=revision).siblings]
        except api.errors.RevisionNotFoundError:
            if revision != _CONVERTED:
                raise
            break
        if found := sorted(name for name in names if name.endswith(".parquet")):
            return found, revision
        if place.revision is not None:
            break
    raise UsageError(f"{place.repo} has no Parquet files", hint="download it and give a .jsonl or .csv file")


def choose(files: list[str], place: Address) -> list[str]:
    """The files of the configuration and split that are asked for; one that is not asked for must be the only one."""
    found = [(config, split, name) for name in files for config, split in [_labels(name)]]
    if place.config is not None:
        found = [row for row in found if row[0] == place.config]
    if place.split is not None:
        found = [row for row in found if row[1] == place.split]
    kinds = sorted({(config, split) for config, split, _ in found})
    if len(kinds) == 1:
        return [name for _, _, name in found]
    there = sorted({_labels(name) for name in files})
    listed = ", ".join(f"hf://{place.repo}{f':{config}' if config else ''}/{split}" for config, split in there[:12])
    problem = "several configurations or splits fit" if kinds else "no such configuration or split"
    raise UsageError(f"{place.repo}: {problem}", hint=f"there are: {listed}")


def _labels(name: str) -> tuple[str, str]:
    """Configuration and split, by habit: `config/split/0000.parquet` or `data/split-00000-of-00001.parquet`."""
    *folders, file = name.split("/")
    split = re.split(r"-\d{5}-of-\d{5}", file.removesuffix(".parquet"))[0]
    if re.fullmatch(r"\d+", split) and folders:
        split = folders.pop()
    config = folders[-1] if folders and folders[-1] != "data" else ""
    return config, split
