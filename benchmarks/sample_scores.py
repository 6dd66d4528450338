"""Scores of sampled answers beside LM-Polygraph.

Both sides get the same random data: 2,000 matrices of how much each of 10 answers entails and contradicts each other
one, as an entailment model would give them, and for lexical similarity 1,000 questions with 10 texts of 6 to 18 words,
on which the two ways of cutting a text into words agree (no articles, nothing a stemmer would shorten). From there on
each computes its scores: degree, eccentricity and Laplacian eigenvalues of the entailments, kernel language entropy of
entailments and contradictions, the entropy of the frequencies of 10 answers' meanings, and the mean ROUGE-L of all
pairs of texts. The entailment model itself, which both would have to ask, is left out, and with it nearly all of the
time that such a score takes on a real question.
"""

from __future__ import annotations

from typing import Any

from side import Result, Row, Side, Table, Target, main, play
from side.jobs import distance, seconds, timed, values

ANSWERS, MEANINGS = 10, 4
WORDS = """
paris london rome oslo bern lima cairo delhi tokyo berlin madrid lisbon dublin prague vienna warsaw north south east
west river hill lake town port sea gold iron tin lead film book song poem man child king queen duke is was in on at by
for and or but not first second third next last red blue green black white old new big small long short
"""
TITLES = {
    "degree": "Degree, of {matrices:,} matrices",
    "spectral": "Eccentricity and Laplacian eigenvalues, of {matrices:,} matrices",
    "kernel": "Kernel language entropy, of {matrices:,} matrices",
    "meanings": "Entropy of the frequencies of meanings, of {matrices:,} questions",
    "lexical": "Lexical similarity by ROUGE-L, of {questions:,} questions",
}


def data(setup: Any) -> tuple[Any, Any, Any, Any]:
    """Entailments, contradictions, meanings and texts."""
    import numpy as np

    rng = np.random.default_rng(0)
    entail, contra, _ = np.moveaxis(rng.dirichlet((1, 1, 1), (setup["matrices"], ANSWERS, ANSWERS)), -1, 0)
    itself = range(ANSWERS)
    entail[:, itself, itself], contra[:, itself, itself] = 1, 0
    meanings = rng.integers(0, MEANINGS, (setup["matrices"], ANSWERS)).tolist()
    lengths = rng.integers(6, 19, (setup["questions"], ANSWERS))
    texts = [[" ".join(rng.choice(WORDS.split(), length)).capitalize() + "." for length in row] for row in lengths]
    return entail, contra, meanings, texts


def doxa_scores(setup):
    import math

    from doxa.estimators.degree_similarity import degree_similarity
    from doxa.estimators.discrete_semantic_entropy import discrete_semantic_entropy
    from doxa.estimators.eccentricity import eccentricity
    from doxa.estimators.graph import spectrum
    from doxa.estimators.kernel_language_entropy import kernel_language_entropy
    from doxa.estimators.laplacian_eigenvalues import laplacian_eigenvalues
    from doxa.estimators.lexical_similarity import lexical_similarity
    from doxa.estimators.similarity import similarities

    entail, contra, meanings, texts = data(setup)

    def alike():
        return (entail + entail.swapaxes(-1, -2)) / 2

    def spectral():
        eigenvalues, vectors = spectrum(alike())
        return [*eccentricity(eigenvalues, vectors).tolist(), *laplacian_eigenvalues(eigenvalues).tolist()]

    return timed(
        {
            "degree": lambda: (1 - degree_similarity(alike())).tolist(),
            "spectral": spectral,
            "kernel": lambda: (kernel_language_entropy((1 + entail - contra) / 2) / math.log(ANSWERS)).tolist(),
            "meanings": lambda: [discrete_semantic_entropy(each) for each in meanings],
            "lexical": lambda: [-float(lexical_similarity(similarities("rougeL", each))) for each in texts],
        }
    )


def polygraph_scores(setup):
    from lm_polygraph.estimators import (
        DegMat,
        Eccentricity,
        EigValLaplacian,
        KernelLanguageEntropy,
        LexicalSimilarity,
        SemanticEntropy,
    )

    entail, contra, meanings, texts = data(setup)
    blank = [[""] * ANSWERS] * len(entail)
    stats = {"semantic_matrix_entail": entail, "semantic_matrix_contra": contra, "sample_texts": blank}
    groups = [[[i for i, m in enumerate(row) if m == one] for one in sorted(set(row))] for row in meanings]
    places = [[sorted(set(row)).index(m) for m in row] for row in meanings]
    sorted_out = {**stats, "semantic_classes_entail": {"class_to_sample": groups, "sample_to_class": places}}
    degree, eccentric, eigen = DegMat(), Eccentricity(), EigValLaplacian()
    kernel, lexical = KernelLanguageEntropy(), LexicalSimilarity("rougeL")
    entropy = SemanticEntropy(class_probability_estimation="frequency")

    def numbers(found):
        return [float(value) for value in found]

    return timed(
        {
            "degree": lambda: numbers(degree(stats)),
            "spectral": lambda: [*numbers(eccentric(stats)), *numbers(eigen(stats))],
            "kernel": lambda: numbers(kernel(stats)),
            "meanings": lambda: numbers(entropy(sorted_out)),
            "lexical": lambda: numbers(lexical({"sample_texts": texts})),
        }
    )


def benchmark(quick: bool) -> Result:
    sizes = {"matrices": 200, "questions": 50} if quick else {"matrices": 2_000, "questions": 1_000}
    rival = "LM-Polygraph"
    sides = Side("doxa", doxa_scores, sizes), Side(rival, polygraph_scores, sizes, ("lm-polygraph==0.7.0",))
    played = play(sides, rounds=3)
    took = {name: seconds(turns) for name, turns in played.items()}
    tables = {
        job: Table(title.format(**sizes), tuple(Row(name, own[job]) for name, own in took.items()))
        for job, title in TITLES.items()
    }
    notes = []
    if rival in played:
        mine, theirs = values(played["doxa"]), values(played[rival])
        apart = ", ".join(f"{job} {distance(mine[job], theirs[job]):.0e}" for job in TITLES)
        notes.append(f"The numbers of both sides differ by at most: {apart}.")
    targets = (
        Target("eccentricity and eigenvalues beside LM-Polygraph, times as fast", tables["spectral"].ratio(rival), 10),
        Target("lexical similarity beside LM-Polygraph, times as fast", tables["lexical"].ratio(rival), 5),
    )
    return Result(tuple(tables.values()), targets, tuple(notes), failures=played.failures, versions=played.versions)


if __name__ == "__main__":
    main(benchmark)
