"""kill -9 at random moments of an index build: nothing acknowledged is lost, nothing is half there, the rest resumes.

    python tests/campaigns/index_kills.py [--kills 50] [--record]

A child process builds a base from a folder with a deterministic embedder and prints each document that is finished.
It is killed at a random moment; the base is opened and checked, and the next child goes on. When a build ends before
its kill, the base is deleted and a new one begins.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.retrieval import KnowledgeBase  # noqa: E402
from core.retrieval.schema import MIGRATIONS  # noqa: E402
from core.store import Store  # noqa: E402
from tests.retrieval.fake import HashEmbedder  # noqa: E402

SOURCE = ROOT / "models" / "brightwater" / "today"


def say(_done: float, text: str) -> None:
    """Every document that is stored or embedded; one that is only being read is not acknowledged."""
    if not text.startswith("reading "):
        print(text.split(": ")[0], flush=True)


def build(db: Path) -> None:
    """The child: say "ready", then every finished document on a line of its own."""
    base = KnowledgeBase(Store(db, MIGRATIONS), HashEmbedder())
    base.warm()
    print("ready", flush=True)
    base.sync_folder(SOURCE, None, say)
    print("finished", flush=True)


def check(db: Path, acknowledged: set[str]) -> str | None:
    """What is wrong with the base, or None."""
    store = Store(db, MIGRATIONS)
    try:
        if store.read("PRAGMA integrity_check")[0][0] != "ok":
            return "the file is damaged"
        base = KnowledgeBase(store, HashEmbedder())
        documents = {document.path: document for document in base.documents()}
        if missing := acknowledged - documents.keys():
            return f"acknowledged and gone: {sorted(missing)[:3]}"
        for path, document in documents.items():
            whole = len(base.preview(path, base.text(path), base.settings))
            if document.chunks != whole or document.embedded not in (0, whole):
                return f"half-written: {path} has {document.chunks} of {whole} chunks, {document.embedded} embedded"
        found = store.read("SELECT count(*) FROM words WHERE words MATCH 'brightwater OR price OR the'")[0][0]
        if documents and not found:
            return "the word index is empty"
    finally:
        store.close()
    return None


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--record", action="store_true", help="write the result beside this file")
    options.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.build:
        build(given.build)
        return
    draw, began = random.Random(given.seed), time.time()
    killed, builds, problems, moments = 0, 0, [], []
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "base.sqlite3"
        acknowledged: set[str] = set()
        while killed < given.kills:
            child = subprocess.Popen(
                [sys.executable, __file__, "--build", str(db)], stdout=subprocess.PIPE, text=True, bufsize=1
            )
            lines = draw.randint(1, 170)  # die after so many of the 81 texts and up to 81 embeddings, plus a moment
            for seen, line in enumerate(child.stdout, 1):
                word = line.strip()
                if word == "finished":
                    break
                if word != "ready":
                    acknowledged.add(word)
                if seen >= lines:
                    time.sleep(draw.random() * 0.02)  # the moment of death, not a wait for something
                    break
            child.kill()
            for line in child.stdout:  # what it had said before it died counts too
                if (word := line.strip()) not in ("ready", "finished") and line.endswith("\n"):
                    acknowledged.add(word)
            child.wait()
            killed += child.returncode == -9
            if wrong := check(db, acknowledged):
                problems.append(wrong)
                print(f"kill {killed}: {wrong}")
            store = Store(db, MIGRATIONS)
            chunks, embedded = KnowledgeBase(store).counts()
            store.close()
            moments.append([chunks, embedded])
            if child.returncode == 0 or (chunks and chunks == embedded and len(acknowledged) >= 81):
                builds += 1
                acknowledged.clear()
                for file in Path(folder).glob("base.sqlite3*"):
                    file.unlink()
        child = subprocess.run(
            [sys.executable, __file__, "--build", str(db)], capture_output=True, text=True, check=True
        )
        store = Store(db, MIGRATIONS)
        chunks, embedded = KnowledgeBase(store).counts()
        store.close()
        if chunks != embedded or "finished" not in child.stdout:
            problems.append(f"the rest did not resume: {embedded} of {chunks} embedded")
    result = {
        "kills": killed,
        "complete builds between": builds,
        "problems": problems,
        "last build after the kills": {"chunks": chunks, "embedded": embedded},
        "seconds": round(time.time() - began),
        "chunks and vectors at each check": moments,
    }
    print(json.dumps({key: value for key, value in result.items() if not key.startswith("chunks and")}))
    if given.record:
        Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n", encoding="utf-8")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
