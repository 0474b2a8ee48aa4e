"""A state folder as the last version without projects left it, written by SQL: one database for runs, jobs, documents.

The shapes were read off a folder that this version (commit 4ef6892) really wrote.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from core import jobs, runs
from core.retrieval import schema
from core.store import Migration

FILE = "retrieve-or-retrain.sqlite3"
STEPS = ("runs-1", "jobs-1", "knowledge-1")
RUN, EVALUATION = "834117650736", "9b41c73aee2e"
DEMO = [f"shop/{n}.md" for n in range(30)]
MINE = ["mine.md", "uploads/other.md"]
ARMS = ["base", "base+retrieval", "fine-tuned", "fine-tuned+retrieval"]


def write(home: Path) -> None:
    """The old state in `home`: 30 documents of the demo in two snapshots (one edited, one deleted), two of a person's
    own (one with an older text), a run over four arms and an evaluation of two."""
    with closing(sqlite3.connect(home / FILE, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, made TEXT NOT NULL)")
        steps: list[Migration] = [*runs.MIGRATIONS, *jobs.MIGRATIONS, *schema.MIGRATIONS]
        for name in STEPS:
            db.executescript(next(step.sql for step in steps if step.name == name))
            db.execute("INSERT INTO migrations VALUES (?, datetime('now'))", (name,))
        db.execute("BEGIN")
        for n, path in enumerate(DEMO):
            old, new = (f"# Shop {n}\n\nThe kettle number {n} costs ${price}.\n" for price in (n + 10, n + 20))
            _version(db, path, old, ["training-day"])
            _version(db, path, new, ["today"] + ([] if n in (3, 4) else ["current"]))
        _version(db, DEMO[3], "# Shop 3\n\nEdited: the zeppelin costs $99.\n", ["current"], "edited")
        db.execute(
            "INSERT INTO views SELECT 'deleted', document, version FROM views WHERE name = 'today' AND document = 5"
        )
        _version(db, MINE[0], "# Mine\n\nThe mooring fee is 47 dollars.\n", [], "added")
        _version(db, MINE[0], "# Mine\n\nThe mooring fee is 48 dollars.\n", ["current"], "edited")
        _version(db, MINE[1], "# Other\n\nThe quay tax is 3 dollars.\n", ["current"], "upload")
        db.execute("UPDATE index_state SET generation = 663, removals = 139, embedder = 'fake-1'")
        db.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?)", _run())
        _evaluation(db)
        db.execute("COMMIT")


def _version(db: sqlite3.Connection, path: str, text: str, views: list[str], origin: str = "folder") -> None:
    db.execute("INSERT OR IGNORE INTO documents (path) VALUES (?)", (path,))
    document = db.execute("SELECT id FROM documents WHERE path = ?", (path,)).fetchone()[0]
    title, body = text.split("\n")[0].removeprefix("# "), text.split("\n\n")[1].strip()
    metadata = json.dumps({"type": "md"})
    named = hashlib.sha256(f"{text}\x00{title}\x00{metadata}".encode()).hexdigest()
    row = (document, named, title, text, metadata, origin, "2026-01-01T00:00:00+00:00", "headings/160/24/wordpiece")
    version = db.execute(
        "INSERT INTO versions (document, hash, title, text, metadata, origin, made, split) VALUES (?,?,?,?,?,?,?,?)",
        row,
    ).lastrowid
    for view in views:
        db.execute("INSERT INTO views VALUES (?, ?, ?)", (view, document, version))
    start = text.index(body)
    chunk = db.execute(
        "INSERT INTO chunks (version, title, heading, body, start, stop, tokens, hash) VALUES (?,?,?,?,?,?,?,?)",
        (version, title, "", body, start, start + len(body), 9, hashlib.sha256(body.encode()).digest()),
    ).lastrowid
    db.execute(
        "INSERT INTO embeddings (chunk, version, vector) VALUES (?, ?, ?)", (chunk, version, b"\x00\x00\x80?" * 384)
    )


def _run() -> tuple[str, ...]:
    settings = {"arms": ARMS, "way": "one at a time", "top_k": 3, "mode": "hybrid", "snapshot": None}
    settings |= {"temperature": 0.0, "max_tokens": 128, "seed": 0, "device": "auto", "gpu_layers": None}
    settings |= {"task": "answer", "pinned": None, "perfect": 0}
    passage = {"document": DEMO[1], "title": "Shop 1", "heading": "", "text": "The kettle", "score": 1.0}
    passage |= {"start": 10, "end": 20, "chunk": 3, "similarity": 0.5, "bm25": None}
    made: list[dict[str, Any]] = [
        {
            "arm": arm, "state": "done", "answer": f"The old answer of {arm}.", "problem": None, "queue_position": 0,
            "prefill": {"done": 34, "total": 34}, "prompt": "<|im_start|>system", "finish": "stop",
            "timing": {"ttft_engine": 167.1, "prefill": 166.2, "decode": 3839.9, "queue": 0.1, "total": 4011.4,
                       "cold": True, "contended": False, "ttft_total": 167.7},
            "tokens": {"prompt": 34, "prompt_reused": 0, "output": 128},
            "rates": {"prefill_per_s": 204.5, "decode_per_s": 33.0},
            "model": {"id": arm.split("+")[0], "architecture": "llama", "quantization": "Q8_0", "file_sha256": "7abc"},
            "passages": [passage] if "+" in arm else [], "passages_dropped": 0,
            "retrieval": {"mode": "hybrid", "note": None} if "+" in arm else None,
        }
        for arm in ARMS
    ]  # fmt: skip
    made[0].pop("retrieval")
    question = "How much does the kettle cost?"
    body = {"id": RUN, "made": "2026-01-02T03:04:05+00:00", "question": question, "settings": settings}
    return RUN, body["made"], question, "one at a time", json.dumps(body | {"finished": True, "arms": made})  # type: ignore[return-value]


def _evaluation(db: sqlite3.Connection) -> None:
    asked = {"question": "How much is it?", "answer": "$54", "variants": [], "documents": [], "class": "own"}
    asked |= {"fact": None, "values": {}}
    options = {"arms": ARMS[:2], "snapshot": None, "top_k": 3, "mode": "hybrid", "max_tokens": 96, "temperature": 0.0}
    options |= {"seed": 0, "device": "auto", "pinned": "Answer in this voice."}
    given = json.dumps({"questions": [asked], "options": options, "before": []})
    row = (EVALUATION, "evaluate", "6ff31ccd", "done", 1.0, "2 of 2 replies", 1.7e9, 1.7e9, "gone:1:x", 0, given)
    db.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, '{"rows": 2}'))
    for n, arm in enumerate(ARMS[:2], 1):
        reply = {"number": 0, "arm": arm, "reply": "It costs $54.", "passages": [], "problem": None, "finish": "stop"}
        reply |= {"timing": {"total": 9.0}, "tokens": {"prompt": 3}, "model": "7abc"}
        db.execute("INSERT INTO job_rows VALUES (?, ?, ?)", (EVALUATION, n, json.dumps(reply)))
