"""Reading models from disk or a hub through transformers, silently, and naming what was read."""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any, NamedTuple

from doxa.errors import UsageError
from doxa.wheels import cache_dir

WORTH_KEEPING = 500_000_000
"""GGUF files up to this many bytes are kept unpacked: reading them takes many times longer than safetensors."""
PATTERNS = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")


class Loaded(NamedTuple):
    """A model, its tokenizer, and a hash of the files they came from."""

    model: Any
    tokenizer: Any
    identity: str


def load(source: str, dtype: str, device: str, kind: str = "AutoModelForCausalLM", *, int8: bool = False) -> Loaded:
    """Load a folder of safetensors, a GGUF file or a hub id as what `kind`, a class of transformers, makes of it.

    Raises `UsageError` if there is no such model or device, or the libraries are missing.
    """
    loaded = _load(source, dtype, device, kind)
    if int8:
        from doxa.models.engine.int8 import to_int8

        to_int8(loaded.model)
    return loaded


def _load(source: str, dtype: str, device: str, kind: str) -> Loaded:
    path = Path(source).expanduser()
    local = path.exists()
    if not local and (source.endswith(".gguf") or source.startswith((".", "/", "~")) or source.count("/") > 1):
        raise UsageError(
            f"there is no model at {source!r}", hint="give a folder of safetensors, a .gguf file or a hub id"
        )
    _require()
    from doxa.models.engine import devices

    device = str(devices.device(device))
    try:
        if local and path.suffix == ".gguf":
            identity = digest([path])
            return Loaded(*_gguf(path, identity, dtype, device), identity)
        model, tokenizer = _pretrained(str(path) if local else source, dtype, device, kind)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        hint = (
            "is it a folder with config.json and safetensors?"
            if local
            else "check the name, or download it and give its folder"
        )
        raise UsageError(f"cannot load the model {source!r}: {first}", hint=hint) from error
    if local:
        return Loaded(model, tokenizer, digest(sorted({f for p in PATTERNS for f in path.glob(p)})))
    return Loaded(model, tokenizer, f"{source}@{getattr(model.config, '_commit_hash', None)}")


def digest(files: Iterable[Path]) -> str:
    """BLAKE2 over names and contents: the same on every machine."""
    total = hashlib.blake2b(digest_size=16)
    for file in files:
        with file.open("rb") as handle:
            content = hashlib.file_digest(handle, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        total.update(f"{file.name}\0{content}\0".encode())
    return total.hexdigest()


def _require() -> None:
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise UsageError(f"local models need {error.name}", hint="pip install 'doxa[local]'") from error


def _pretrained(
    source: str, dtype: str, device: str, kind: str = "AutoModelForCausalLM", **options: Any
) -> tuple[Any, Any]:
    import torch
    import transformers

    safe = {"trust_remote_code": False} | ({} if options else {"use_safetensors": True})  # no pickle, no foreign code
    with quiet():
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, **options)
        made: Any = getattr(transformers, kind)
        model = made.from_pretrained(source, dtype=getattr(torch, dtype), **safe, **options)
        return model.to(device).eval(), tokenizer


def _gguf(path: Path, identity: str, dtype: str, device: str) -> tuple[Any, Any]:
    """Load a GGUF file; a small one is unpacked once into the cache, which then loads in a second."""
    if path.stat().st_size > WORTH_KEEPING:
        return _pretrained(str(path.parent), dtype, device, gguf_file=path.name)
    folder = cache_dir() / "unpacked" / f"{path.stem}-{identity}"
    if not folder.exists():
        print(f"unpacking {path.name} into {folder} (once)", file=sys.stderr)  # noqa: T201
        _unpack(path, folder)
    return _pretrained(str(folder), dtype, device)


def _unpack(path: Path, folder: Path) -> None:
    model, tokenizer = _pretrained(str(path.parent), "float32", "cpu", gguf_file=path.name)
    from transformers import AutoModelForCausalLM

    del model.config.quantization_config
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary, quiet():
        plain = AutoModelForCausalLM.from_config(model.config)
        plain.load_state_dict(model.state_dict())
        plain.generation_config = model.generation_config
        plain.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        ready = Path(temporary) / "ready"
        ready.mkdir()
        for file in Path(temporary).iterdir():
            if file != ready:
                shutil.move(file, ready)
        try:
            ready.rename(folder)
        except OSError:  # another process was faster
            if not folder.exists():
                raise


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, log lines or warnings of the libraries while loading."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # some bars ask nobody
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
