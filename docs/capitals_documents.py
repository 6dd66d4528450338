"""Makes a folder of documents for `bank:capitals_claims`: one text a continent, a sentence a state.

Run it as `python docs/capitals_documents.py FOLDER`, then name the folder: `doxa act … --documents FOLDER`.
"""

import sys
from collections import defaultdict
from pathlib import Path

from doxa.questions.facts.countries import countries


def write(folder: Path) -> int:
    """Write the texts; how many sentences there are."""
    texts: dict[str, list[str]] = defaultdict(list)
    for country in countries():
        name = country.name[0].upper() + country.name[1:]
        texts[country.continent].append(
            f"{name} has about {round(country.population, -5):,} people. "
            f"The capital of {country.name} is {country.capital}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for continent, sentences in texts.items():
        (folder / f"{continent.lower().replace(' ', '_')}.txt").write_text("\n\n".join(sentences) + "\n", "utf-8")
    return sum(map(len, texts.values()))


if __name__ == "__main__":
    sys.stdout.write(f"{write(Path(sys.argv[1]))} states\n")
