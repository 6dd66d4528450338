"""Start-up, packages and installed size beside seven other packages.

Each stands in an environment of its own that holds what pip resolves for it and nothing else (uqlm with
langchain-openai, without which it asks no model, and an older pyarrow, without which it does not import). Timed are
fresh processes, in turns, after a round that is not counted: Python with `import PACKAGE`; Python with the import and a
first ECE of 1,000 answers (TruthTorchLM has no ECE and gets an AUROC), as doxa's import loads hardly anything and would
look better than what follows; and the command with `--help`, where there is one that answers it. TruthTorchLM is told
not to look for prices on the network. Sizes are those of the packages' files, bytecode included, without pip and
setuptools, and without any model.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from side import Result, Row, Table, Target, environment, main
from side.environments import PIP, ROOT, Broken, last_line

DATA = "import numpy as np; p = np.random.default_rng(0).random(1000); y = (p > .4).astype(int); "
SHARED = """
import importlib.metadata as m, json, os, sys
found = [d for d in m.distributions() if d.metadata["Name"] not in ("pip", "setuptools")]
files = {os.path.realpath(d.locate_file(f)) for d in found for f in d.files or ()}
caches = {os.path.join(os.path.dirname(f), "__pycache__") for f in files if f.endswith(".py")}
files |= {e.path for c in caches if os.path.isdir(c) for e in os.scandir(c)}
size = sum(os.path.getsize(f) for f in files if os.path.isfile(f))
print(json.dumps([len({d.metadata["Name"] for d in found}), size, m.version(sys.argv[1])]))
"""
LIMIT = 120
OFFLINE = {"HF_HUB_OFFLINE": "1", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


@dataclass(frozen=True)
class Package:
    """What is installed, what is imported, what a first number takes, and the command."""

    installs: tuple[str, ...]
    imports: str
    first: str = ""
    command: str = ""

    @property
    def name(self) -> str:
        """Without version, extras and place."""
        return self.installs[0].split()[0].split("[")[0].split("=")[0]


DOXA = f"@ file://{ROOT}"
PACKAGES = {
    "doxa": Package(
        (f"doxa {DOXA}",), "doxa", DATA + "import doxa.metrics; doxa.metrics.ece(confidence=p, correct=y)", "doxa"
    ),
    "doxa[local]": Package((f"doxa[local] {DOXA}",), "doxa"),
    "LM-Polygraph": Package(
        ("lm-polygraph==0.7.0",),
        "lm_polygraph",
        DATA + "from lm_polygraph.ue_metrics.ece import ECE; ECE(n_bins=10)(-p, y)",
    ),
    "uqlm": Package(
        ("uqlm==0.6.7", "langchain-openai==1.7.3", "pyarrow==21.0.0"),
        "uqlm",
        DATA + "from uqlm.calibration.evaluate import _evaluate_single_calibrator as e; e(p, y, plot=False)",
    ),
    "TruthTorchLM": Package(
        ("TruthTorchLM==0.1.19",),
        "TruthTorchLM",
        DATA + "from TruthTorchLM.utils.eval_utils import metric_score as s; s(['auroc'], y, p, p.copy())",
    ),
    "MAPIE": Package(
        ("mapie==1.6.0",),
        "mapie",
        DATA + "from mapie.metrics.calibration import expected_calibration_error as e; e(y, p, num_bins=11)",
    ),
    "netcal": Package(
        ("netcal==1.4.0",), "netcal", DATA + "from netcal.metrics import ECE; ECE(10).measure(p, y.astype(bool))"
    ),
    "inspect": Package(("inspect-ai==0.3.285",), "inspect_ai", command="inspect"),
    "lm-eval[api]": Package(("lm-eval[api]==0.4.13",), "lm_eval", command="lm_eval"),
    "lm-eval[hf]": Package(("lm-eval[hf]==0.4.13",), "lm_eval", command="lm_eval"),
}
IMPORT, FIRST, HELP = "import", "import and a first number", "--help"
Commands = Mapping[str, Sequence[str]]


def ran(command: Sequence[str]) -> str:
    """What a process prints. Raises `Broken` if it fails."""
    surroundings = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | OFFLINE
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT, env=surroundings, cwd="/", check=False
        )
    except subprocess.TimeoutExpired:
        raise Broken(f"takes longer than {LIMIT} s") from None
    if done.returncode:
        raise Broken(f"fails: {last_line(done.stderr or done.stdout)}")
    return done.stdout


def installed(name: str, package: Package) -> Path:
    """The interpreter of a package's environment; doxa itself is installed anew, as the source may have changed."""
    python = environment(package.installs)
    if name.startswith("doxa"):
        ran([str(python), *PIP, "--no-deps", "--force-reinstall", f"doxa {DOXA}"])
    return python


def turns(what: str, commands: Commands, rounds: int, failures: list[str]) -> dict[str, tuple[float, ...]]:
    """Seconds of each command in every round, the sides taking turns; of imports the first is not counted."""
    took: dict[str, list[float]] = {name: [] for name in commands}
    for count in range(0 if what == IMPORT else 1, rounds + 1):
        for name in list(took):
            start = time.perf_counter()
            try:
                ran(commands[name])
            except Broken as broken:
                if name == "doxa":
                    raise
                failures.append(f"{what}: {name} {broken}")
                del took[name]
                continue
            if count:
                took[name].append(time.perf_counter() - start)
    return {name: tuple(values) for name, values in took.items()}


def benchmark(quick: bool) -> Result:
    failures: list[str] = []
    pythons = {}
    for name, package in PACKAGES.items():
        try:
            pythons[name] = installed(name, package)
        except Broken as broken:
            if name == "doxa":
                raise
            failures.append(f"{name} {broken}")
    timed = {name: PACKAGES[name] for name in pythons if name != "doxa[local]"}
    alone = {"Python alone": [sys.executable, "-c", "pass"]}
    rounds = 1 if quick else 3
    imports = {name: [str(pythons[name]), "-c", f"import {each.imports}"] for name, each in timed.items()}
    firsts = {
        name: [*imports[name][:2], f"{imports[name][2]}; {each.first}"] for name, each in timed.items() if each.first
    }
    helps = {
        name: [str(pythons[name]), str(pythons[name].parent / each.command), "--help"]
        for name, each in timed.items()
        if each.command
    }
    took = {
        what: turns(what, commands, rounds, failures)
        for what, commands in ((IMPORT, imports | alone), (FIRST, firsts | alone), (HELP, helps))
    }
    counts = {
        name: json.loads(ran([str(python), "-c", SHARED, PACKAGES[name].name])) for name, python in pythons.items()
    }
    tables = (
        *(table(what, values) for what, values in took.items()),
        table("Packages", {name: (float(found[0]),) for name, found in counts.items()}, unit="packages"),
        table("Installed size", {name: (found[1] / 1e6,) for name, found in counts.items()}, unit="MB"),
    )
    target = Target("seconds of doxa --help", tables[2].rows[0].median, at_most=0.4)
    versions = {name: found[2] for name, found in counts.items()}
    return Result(tables, (target,), failures=tuple(failures), versions=versions)


def table(title: str, values: Mapping[str, tuple[float, ...]], unit: str = "s") -> Table:
    rows = (Row(name, each, rival=name not in ("Python alone", "doxa[local]")) for name, each in values.items())
    return Table(title, tuple(rows), unit=unit)


if __name__ == "__main__":
    main(benchmark)
