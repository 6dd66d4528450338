"""The door of the command line: registers the verbs, turns errors into one sentence and an exit code."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from doxa import __version__
from doxa.cli.act import act
from doxa.cli.apply import apply
from doxa.cli.ask import ask
from doxa.cli.batch import batch
from doxa.cli.budget import budget
from doxa.cli.calibrate import calibrate
from doxa.cli.cascade import cascade
from doxa.cli.compare import compare
from doxa.cli.delegate import delegate
from doxa.cli.doctor import doctor
from doxa.cli.journal import journal
from doxa.cli.list import list_members
from doxa.cli.merge import merge
from doxa.cli.power import power
from doxa.cli.quickstart import quickstart
from doxa.cli.report import report
from doxa.cli.resume import resume
from doxa.cli.run import run
from doxa.cli.score import score
from doxa.cli.sets import sets
from doxa.cli.train import train
from doxa.cli.watch import watch
from doxa.errors import DoxaError, UsageError
from doxa.text import encodable

# Some releases of typer carry their own click, so its base of all complaints about usage is reached through typer.
_ClickException: Any = typer.BadParameter.__mro__[2]

INTERRUPTED = 130

app = typer.Typer(
    help="Find out whether a language model knows what it knows.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DOXA"},
)


@app.callback(invoke_without_command=True)
def door(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    """Find out whether a language model knows what it knows."""
    if version:
        sys.stdout.write(f"doxa {__version__}\n")
        raise typer.Exit


VERBS = (
    quickstart,
    ask,
    run,
    resume,
    merge,
    act,
    score,
    compare,
    power,
    calibrate,
    apply,
    sets,
    cascade,
    delegate,
    budget,
    watch,
    report,
    train,
    doctor,
)
RESUMED = ("quickstart", "run", "resume", "act", "delegate", "train")
"""Verbs that keep what was answered, and go on from there."""
for verb in VERBS:
    app.command()(verb)
app.command("list")(list_members)
app.add_typer(batch, name="batch")
app.add_typer(journal, name="journal")


def main() -> None:
    """Run the command line and leave with the exit code of what happened."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # JSON is UTF-8 wherever it goes, and a locale that is not would end in an error at the first accent.
            stream.reconfigure(encoding="utf-8")
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    """One invocation: 0 done, otherwise the code of the error, which is one sentence on stderr with its next step."""
    try:
        command: Any = typer.main.get_command(app)
        _check(arguments)
        _quiet(command)
        result = command.main(arguments, "doxa", standalone_mode=False, default_map=_defaults(command))
        sys.stdout.flush()
        # Some releases of typer turn Ctrl-C into this code.
        return _interrupted(arguments) if result == INTERRUPTED else result if isinstance(result, int) else 0
    except DoxaError as error:
        _say(f"error: {error}")
        if error.hint:
            _say(f"hint: {error.hint}")
        return error.exit_code
    except _ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(arguments)
    except typer.Exit as end:
        return int(end.exit_code)
    except OSError as error:
        return _unwritable(error)


def _unwritable(error: OSError) -> int:
    """What is left in stdout's buffer goes nowhere, so that it cannot fail a second time when the program ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 0  # the reader of a pipe has all it wanted
    _say(f"error: cannot write the output: {error.strerror}")
    _say("hint: make room, or write somewhere else")
    return 3


def _interrupted(arguments: list[str]) -> int:
    resumes = arguments[:1] and arguments[0] in RESUMED
    _say("interrupted; a run goes on where it was by the same command" if resumes else "interrupted")
    return INTERRUPTED


def _say(line: str) -> None:
    from doxa.text import clean

    sys.stderr.write(clean(line) + "\n")


def _check(arguments: list[str]) -> None:
    for argument in arguments:
        if encodable(argument) != argument:
            raise UsageError(f"{argument!r} is not UTF-8", hint="set the terminal, or rename the file, to UTF-8")


def _quiet(command: Any) -> None:
    """Leave the names of environment variables out of the help of a command and of those below it."""
    for parameter in command.params:
        parameter.show_envvar = False
    for below in getattr(command, "commands", {}).values():
        _quiet(below)


def _defaults(group: TyperGroup) -> dict[str, Any]:
    """Defaults of options from `doxa.yaml` in the working folder: `{verb: {option: value}}`."""
    path = Path("doxa.yaml")
    if not path.is_file():
        return {}
    from doxa.cli.defaults import read_defaults

    options = {
        verb: {max(option.opts, key=len).lstrip("-").replace("-", "_"): str(option.name) for option in command.params}
        for verb, command in group.commands.items()
    }
    return read_defaults(path, options)


if __name__ == "__main__":
    main()
