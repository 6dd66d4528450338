"""Ratings from comparisons beside choix and trueskill.

1,000 players of random strengths meet in 50,000 random games, whose winners are drawn as Bradley and Terry say. All
sides but one find the strengths under which these games are most probable: doxa by Newton steps, choix by iterative
spectral ranking (`ilsr_pairwise`) and by its optimiser (`opt_pairwise`, Newton-CG), doxa and the optimiser under the
same small penalty. Strengths are compared after their means are taken out. TrueSkill goes through the first 10,000
games in their order, in doxa and in the package `trueskill`.
"""

from __future__ import annotations

from side import Result, Row, Side, Table, Target, main, play
from side.jobs import distance, seconds, timed, values

PENALTY = 1e-6
PLAYERS, GAMES, FIRST = 1_000, 50_000, 10_000
CHOIX, TRUESKILL = ("choix==0.4.1",), ("trueskill==0.4.5",)


def games(count: int) -> list[tuple[int, int]]:
    """Winners and losers; the standard library's generator is the same in all environments."""
    import math
    import random

    rng = random.Random(0)
    strength = [rng.gauss(0, 1) for _ in range(PLAYERS)]
    found = []
    for _ in range(count):
        a, b = rng.sample(range(PLAYERS), 2)
        wins = rng.random() < 1 / (1 + math.exp(strength[b] - strength[a]))
        found.append((a, b) if wins else (b, a))
    return found


def centred(strength) -> list[float]:
    mean = sum(strength) / len(strength)
    return [float(value - mean) for value in strength]


def doxa_rates(sizes):
    from doxa.estimators.rating import Games
    from doxa.estimators.rating.bradley_terry import bradley_terry
    from doxa.estimators.rating.trueskill import trueskill

    played = games(sizes["games"])

    def of(count):
        return Games.of(PLAYERS, [(winner, loser, 1) for winner, loser in played[:count]])

    def likeliest():
        return centred(bradley_terry(of(len(played)), regularisation=PENALTY, position=False).strength)

    return timed({"likeliest": likeliest, "trueskill": lambda: list(trueskill(of(sizes["first"])).mu)})


def choix_ranks(sizes):
    import choix

    played = games(sizes["games"])
    return timed({"likeliest": lambda: centred(choix.ilsr_pairwise(PLAYERS, played))})


def choix_optimises(sizes):
    import choix

    played = games(sizes["games"])
    return timed({"likeliest": lambda: centred(choix.opt_pairwise(PLAYERS, played, alpha=PENALTY))})


def trueskill_rates(sizes):
    import trueskill

    played = games(sizes["games"])[: sizes["first"]]

    def rate():
        ratings = [trueskill.Rating() for _ in range(PLAYERS)]
        for winner, loser in played:
            ratings[winner], ratings[loser] = trueskill.rate_1vs1(ratings[winner], ratings[loser])
        return [rating.mu for rating in ratings]

    return timed({"trueskill": rate})


def benchmark(quick: bool) -> Result:
    sizes = {"games": 20_000 if quick else GAMES, "first": FIRST // (10 if quick else 1)}
    sides = (
        Side("doxa", doxa_rates, sizes),
        Side("choix, ilsr", choix_ranks, sizes, CHOIX),
        Side("choix, opt", choix_optimises, sizes, CHOIX),
        Side("trueskill", trueskill_rates, sizes, TRUESKILL),
    )
    played = play(sides, rounds=1 if quick else 3)
    took = {name: seconds(turns) for name, turns in played.items()}
    titles = {
        "likeliest": f"Bradley-Terry strengths of {PLAYERS:,} players from {sizes['games']:,} games",
        "trueskill": f"TrueSkill of {PLAYERS:,} players from {sizes['first']:,} games",
    }
    tables = {
        job: Table(title, tuple(Row(name, own[job]) for name, own in took.items() if job in own))
        for job, title in titles.items()
    }
    mine = values(played["doxa"])
    notes = [
        f"{name} and doxa differ by at most {distance(mine[job], found):.0e}."
        for name, turns in list(played.items())[1:]
        for job, found in values(turns).items()
    ]
    ratios = [ratio for side in ("choix, ilsr", "choix, opt") if (ratio := tables["likeliest"].ratio(side))]
    target = Target("strengths beside the faster of choix, times as fast", min(ratios, default=None), at_least=10)
    return Result(tuple(tables.values()), (target,), tuple(notes), failures=played.failures, versions=played.versions)


if __name__ == "__main__":
    main(benchmark)
