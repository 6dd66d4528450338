"""The frame of the benchmarks: the same work on several sides, in turns, in one run.

A benchmark is one file in `benchmarks/`. Its docstring is what the page says about it: the first line is the title,
every further paragraph is text (machine, versions, command and tables are added by the tool). It reads

    from side import Result, Row, Side, Table, Target, main, play

    def ours(setup):                  # one function for each side
        import doxa                   # imports inside: only the standard library and `side` are everywhere
        prepared = ...                # loading and warming up is not timed
        def turn():                   # what is timed; called once in every round
            return ...                # JSON-able: what the sides must agree on
        return turn

    def theirs(setup): ...

    def benchmark(quick):             # small sizes if quick, for trying
        sides = Side("doxa", ours, {"n": 64}), Side("Rival 1.2", theirs, {"n": 8}, ("rival==1.2", "helper==3"))
        played = play(sides, rounds=3)
        mine = played["doxa"]         # .seconds, .processor, .answers: one a round; .memory: peak in GiB
        table = Table("Title", tuple(Row(name, turns.seconds, work=...) for name, turns in played.items()), of="items")
        targets = (Target("times the speed of Rival", table.ratio("Rival 1.2"), at_least=6),)
        return Result((table,), targets, failures=played.failures, versions=played.versions)

    if __name__ == "__main__":
        main(benchmark)

and can be run alone: `python benchmarks/FILE.py [--quick] [--json FILE]`.

Sides. `work` is a function at the top of the file, by whose name the child process finds it; `setup` is JSON-able and
arrives as its argument. Without `packages` a side runs on the interpreter that runs the benchmark, where doxa is; with
`packages` on one of an environment of its own, which is made on first use in `.venv/bench` beside the benchmarks'
folder, named after the first package, under the constraints of `constraints.txt`, and found again by the next run.
`environment(packages)` gives that interpreter to benchmarks that start processes in their own way. Every side is one
process from beginning to end, in a working directory of its own that is removed; what it prints goes to standard error.
Sides take turns, A B A B; one that waits does nothing. Hubs cannot be reached (HF_HUB_OFFLINE=1).

Failures. The first side is doxa's: if it fails, `play` raises, and the exit code is 1. Another side that does not
install, fails, or takes longer than `limit` seconds for one turn is left out of what `play` returns and stands in
`played.failures`, which is put on the page; `table.ratio` of a side without a row is `None`, and so is the value of the
target made from it. Targets that are missed or could not be measured are reported and leave the exit code 0.

Tables. Lower values are better; the first row is doxa's. `Row.work` is how much was done for one value (64 questions),
`Table.of` its name; a ratio is the other's median for one unit of work over doxa's, so above 1 doxa is ahead. A row
that is no competitor (a bound, one sort) says `rival=False`. Rows of rivals that are ahead, and targets that are
missed, get into the page's section on where doxa loses by themselves; `Result.loses` adds sentences. `Result.notes`
are sentences below the tables. Agreement of results is a target too: `Target("differ by", 2e-9, at_most=1e-6)`.
All benchmarks together, and the page: `make bench`, or `python -m side [--quick] [--page FILE]` in `benchmarks/`.
"""

from side.environments import environment as environment
from side.measured import Result as Result
from side.measured import Row as Row
from side.measured import Table as Table
from side.measured import Target as Target
from side.playing import Played as Played
from side.playing import Side as Side
from side.playing import Turns as Turns
from side.playing import play as play
from side.running import main as main
