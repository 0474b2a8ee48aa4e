"""Word sequences of the five documents as hashes, so that a test can tell a copied sentence without the documents.

`python -m tests.advisor.document_words FOLDER` writes document_words.json anew from the folder that holds them.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).with_name("document_words.json")
LONGEST = 8  # consecutive words that may be shared; one more is a copy
SHORTEST = 5  # a whole sentence of at least so many words may not stand in ours
SENTENCE = re.compile(r"[\n.!?:;—→•]| - ")


def words(text: str) -> list[str]:
    """The words of a text, in lower case, without punctuation."""
    return re.findall(r"[a-z0-9]+", re.sub("['’]", "", text.lower()))


def runs(found: list[str], length: int) -> Iterator[str]:
    """Hashes of every `length` consecutive words."""
    for at in range(len(found) - length + 1):
        yield hashlib.sha256(" ".join(found[at : at + length]).encode()).hexdigest()[:12]


def main(folder: Path) -> None:
    """Write the file."""
    long_runs: set[str] = set()
    sentences: set[str] = set()
    for path in sorted(folder.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        long_runs |= set(runs(words(text), LONGEST + 1))
        for sentence in SENTENCE.split(text):
            if SHORTEST <= len(words(sentence)) <= LONGEST:
                sentences |= set(runs(words(sentence), len(words(sentence))))
    data = {"runs": sorted(long_runs), "sentences": sorted(sentences)}
    FILE.write_text(json.dumps(data, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
