"""A view brought in step with a source: a plan first, then exactly that. Knows no questions and no vectors.

Nothing is removed unless `prune` says so, and an empty source never removes anything. One process at a time works on a
base in this way; single documents may be changed meanwhile.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from core.errors import Problem
from core.retrieval import parsing, versions
from core.retrieval.indexing import Indexer, Text, incoming
from core.retrieval.sources import Entry, Listing
from core.retrieval.values import CURRENT, Cancelled, Change, Plan, Progress, Sync
from core.store import Store
from core.text import one_line

WORDS_SHARE = 0.2  # of a build's progress: reading and splitting; the rest is embedding
KEPT_CHARACTERS = 50_000_000  # of planned texts held in memory; beyond, a file is read once more


@dataclass(frozen=True)
class Planned:
    """A plan with what carrying it out needs."""

    plan: Plan
    entries: tuple[tuple[Entry, bool], ...]  # to be written, in the order of the source, and whether they are new
    snapshot: str | None
    origin: str
    texts: Mapping[str, Text] = field(repr=False)  # of entries, as many as fit into memory


class Syncer:
    """Plans and carries out for one base."""

    def __init__(self, store: Store, indexer: Indexer) -> None:
        self._store = store
        self._indexer = indexer

    def plan(
        self,
        listing: Listing,
        snapshot: str | None,
        into: str,
        origin: str,
        progress: Progress,
        cancelled: Cancelled,
    ) -> Planned:
        """Read every file and say what would happen to it. Changes nothing. `into`: the folder that is compared."""
        valid = self._valid(CURRENT if snapshot is None else snapshot)
        found: dict[str, list[str]] = {"added": [], "updated": [], "unchanged": []}
        failed, skipped, entries = list(listing.failed), list(listing.skipped), list[tuple[Entry, bool]]()
        texts: dict[str, Text] = {}
        room = KEPT_CHARACTERS
        for at, entry in enumerate(listing.entries):
            if cancelled():
                return Planned(Plan(complete=False), (), snapshot, origin, {})
            progress(at / len(listing.entries), f"reading {entry.path}")
            try:
                text = read(entry, snapshot, origin)
            except Problem as problem:
                failed.append((entry.name, problem.message))
                continue
            if text is None:
                skipped.append((entry.name, f"'{one_line(entry.name, 80)}' is empty."))
                continue
            kind = "added" if entry.path not in valid else "updated" if valid[entry.path] != text.hash else "unchanged"
            found[kind].append(entry.path)
            if kind == "unchanged":
                continue
            entries.append((entry, kind == "added"))
            if room >= len(text.text):
                room -= len(text.text)
                texts[entry.path] = text
        inside = f"{into.strip('/')}/" if into.strip("/") else ""
        here = {entry.path for entry in listing.entries}  # one that cannot be read now is still there
        missing = sorted(path for path in valid.keys() - here if path.startswith(inside))
        plan = Plan(
            listing.files, tuple(found["added"]), tuple(found["updated"]), tuple(found["unchanged"]), tuple(missing),
            tuple(failed), tuple(skipped), listing.ignored,
        )  # fmt: skip
        return Planned(plan, tuple(entries), snapshot, origin, texts)

    def carry_out(
        self,
        planned: Planned,
        prune: bool,
        embed: bool,
        progress: Progress,
        cancelled: Cancelled,
        changed: Callable[[Change], None],
    ) -> Sync:
        """Write what was planned, a document at a time, words first, then (with `embed`) vectors. Raises Problem."""
        plan = planned.plan
        done = Sync(
            plan.files, unchanged=len(plan.unchanged), failed=plan.failed, skipped=plan.skipped, ignored=plan.ignored,
            kept=len(plan.missing), complete=plan.complete,
        )  # fmt: skip
        if prune and plan.missing and not (plan.added or plan.updated or plan.unchanged):
            raise Problem(
                f"Nothing that could be a document was found, so none of the {len(plan.missing)} documents is removed. "
                "To remove them all, delete them."
            )
        for at, (entry, new) in enumerate(planned.entries, 1):
            if cancelled():
                return replace(done, complete=False)
            done = self._write(planned, entry, new, done, changed)
            progress((WORDS_SHARE if embed else 1.0) * at / len(planned.entries), entry.path)
        if prune and plan.missing:
            gone = self._store.write(partial(_drop, gone=plan.missing, snapshot=planned.snapshot))
            done = replace(done, deleted=gone, kept=len(plan.missing) - gone)
        if not embed or cancelled():
            return replace(done, complete=plan.complete and not cancelled())
        share = 1 - WORDS_SHARE
        embedded = self._indexer.catch_up(lambda part, text: progress(WORDS_SHARE + share * part, text), cancelled)
        return replace(done, embedded=embedded, complete=plan.complete and not cancelled())

    # -- inside ----------------------------------------------------------------------------------------------------

    def _valid(self, view: str) -> dict[str, str]:
        """Path -> hash of what a view holds; "" where it is not split yet."""
        rows = self._store.read(
            "SELECT d.path, CASE WHEN v.split IS NULL THEN '' ELSE v.hash END FROM views w "
            "JOIN documents d ON d.id = w.document JOIN versions v ON v.id = w.version WHERE w.name = ?",
            (view,),
        )
        return {str(row[0]): str(row[1]) for row in rows}

    def _write(self, planned: Planned, entry: Entry, new: bool, done: Sync, changed: Callable[[Change], None]) -> Sync:
        try:
            text = planned.texts.get(entry.path) or read(entry, planned.snapshot, planned.origin)
            if text is None:
                raise Problem(f"'{one_line(entry.name, 80)}' became empty meanwhile.")
            change = self._indexer.put(text, embed=False)
        except Problem as problem:
            return replace(done, failed=(*done.failed, (entry.name, problem.message)))
        changed(change)
        return replace(done, added=done.added + 1) if new else replace(done, updated=done.updated + 1)


def read(entry: Entry, snapshot: str | None = None, origin: str = "folder") -> Text | None:
    """An entry's text, None when it is empty. Raises Problem."""
    data = entry.read()
    if not data.strip():
        return None
    parsed = parsing.parse(entry.name, data)
    return incoming(entry.path, parsed.text, origin, {"type": parsed.type}, snapshot)


def _drop(connection: sqlite3.Connection, gone: tuple[str, ...], snapshot: str | None) -> int:
    """Take documents out of the views that follow a source; gives how many were there.

    Out of the current view they are deleted as by hand: they can be restored.
    """
    if snapshot is None:
        return sum(versions.delete(connection, path) for path in gone)
    for path in gone:
        for view in versions.views_to_write(connection, path, snapshot):
            versions.drop_from_view(connection, path, view)
    return len(gone)
