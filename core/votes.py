"""What people say of answers: votes between them, marks right or wrong, other causes. The one owner of table `votes`.

A vote is blind: `shown` is the order on the screen, shuffled by `seed` (see `shuffled`), without names and times. One
person has one say on one thing: a second vote on the same answers takes the place of the first. Draws nothing, counts
nothing (see evaluation/preferences.py and evaluation/agreement.py) and knows no engine.
"""

import csv
import hashlib
import io
import json
import random
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta

from core.arms import MOST_ARMS
from core.errors import Problem
from core.export import harmless
from core.store import Migration, Store
from core.text import one_line

Choice = Literal["left", "right", "tie", "both bad"]
CHOICES: Final[tuple[Choice, ...]] = get_args(Choice)
MOST: Final = 50_000  # of one project
MOST_BYTES: Final = 20_000_000  # of a file to be read
Arm = Annotated[str, Meta(min_length=1, max_length=200)]
Arms = Annotated[tuple[Arm, ...], Meta(max_length=MOST_ARMS)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
S = TypeVar("S", bound="Say")

MIGRATIONS: Final = [
    Migration(
        "votes-1",
        """
        CREATE TABLE votes (
            project TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, made TEXT NOT NULL,
            body TEXT NOT NULL, PRIMARY KEY (project, id)
        );
        CREATE INDEX votes_source ON votes (project, source);
        """,
    )
]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the answers stand: a run of the playground, or question `number` of an evaluation, asked for the
    `repeat`-th time after the first."""

    kind: Literal["run", "evaluation"]
    id: Annotated[str, Meta(pattern="^[0-9a-f]{6,40}$")]
    number: Count = 0
    repeat: Count = 0


class Say(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """What all have in common. `voter`: a label that people give themselves, "" for none. `made`: UTC, ISO 8601."""

    place: Place
    question: Annotated[str, Meta(max_length=8_000)]
    voter: Annotated[str, Meta(max_length=60)] = ""
    made: Annotated[str, Meta(max_length=40)] = ""

    @property
    def about(self) -> tuple[object, ...]:
        """What is judged, besides where."""
        return ()

    @property
    def id(self) -> str:
        """The same for two says of one person on one thing."""
        parts = [type(self).__name__, msgspec.to_builtins(self.place), self.voter, *self.about]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


class Vote(Say, frozen=True, kw_only=True, tag="vote", forbid_unknown_fields=True):
    """Which of the shown answers is best. `best`: the arms found best: one, several that tie, none where all are bad.

    `acceptable`: arm -> whether its answer would do, apart from which is better; arms that nobody marked are not in it.
    """

    shown: Arms
    best: Arms
    acceptable: dict[Arm, bool] = {}
    seed: Annotated[int, Meta(ge=0, le=2**53)] = 0

    @property
    def about(self) -> tuple[object, ...]:
        return tuple(sorted(self.shown))

    @property
    def choice(self) -> str:
        """In words, as it was seen: left, right, tie, both bad; of more than two answers the arms found best."""
        if not self.best:
            return "both bad"
        if len(self.shown) == 2:
            return "tie" if len(self.best) == 2 else ("left", "right")[self.shown.index(self.best[0])]
        return "tie" if len(self.best) == len(self.shown) else ", ".join(self.best)


class Mark(Say, frozen=True, kw_only=True, tag="mark", forbid_unknown_fields=True):
    """Whether an arm's answer is right, by hand."""

    arm: Arm
    right: bool

    @property
    def about(self) -> tuple[object, ...]:
        return (self.arm,)


class CauseMark(Say, frozen=True, kw_only=True, tag="cause", forbid_unknown_fields=True):
    """Why an arm's answer is wrong, by hand: `cause`; `stated`: what the rules said then."""

    arm: Arm
    stated: Annotated[str, Meta(max_length=120)]
    cause: Annotated[str, Meta(min_length=1, max_length=120)]

    @property
    def about(self) -> tuple[object, ...]:
        return (self.arm,)


Said = Vote | Mark | CauseMark
KINDS: Final[Mapping[str, type[Say]]] = {"vote": Vote, "mark": Mark, "cause": CauseMark}


def shuffled(arms: Sequence[str], seed: int) -> tuple[str, ...]:
    """The order in which answers are shown, drawn by `seed`."""
    order = list(arms)
    random.Random(seed).shuffle(order)
    return tuple(order)


def vote(
    place: Place,
    question: str,
    shown: Sequence[str],
    choice: Choice | Sequence[str],
    *,
    acceptable: Mapping[str, bool] | None = None,
    voter: str = "",
    seed: int = 0,
) -> Vote:
    """A vote on answers in the order `shown`: one of CHOICES for two, or the arms found best. Raises Problem."""
    best = _best(choice, tuple(shown)) if isinstance(choice, str) else tuple(choice)
    made = Vote(
        place=place,
        question=question,
        voter=one_line(voter.strip(), 60),
        made=now(),
        shown=tuple(shown),
        best=best,
        acceptable=dict(acceptable or {}),
        seed=seed,
    )
    return checked(made)


def _best(choice: str, shown: tuple[str, ...]) -> tuple[str, ...]:
    if choice not in CHOICES or (choice in ("left", "right") and len(shown) != 2):
        raise Problem(f"A vote is one of {', '.join(CHOICES)} (left and right of two), not {one_line(choice, 40)}.")
    return {"left": shown[:1], "right": shown[1:], "tie": shown, "both bad": ()}[choice]


def now() -> str:
    """UTC to the second, as it is kept."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def checked(say: S) -> S:
    """The same, if it can be kept. Raises Problem."""
    try:
        msgspec.convert(msgspec.to_builtins(say), Said)
        if say.made:
            datetime.fromisoformat(say.made)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Problem(f"The vote cannot be kept: {one_line(str(error), 200)}.") from error
    if isinstance(say, Vote):
        shown = set(say.shown)
        if len(shown) < 2 or len(shown) < len(say.shown):
            raise Problem("A vote needs two or more different arms.")
        if not set(say.best) <= shown or len(set(say.best)) < len(say.best) or not set(say.acceptable) <= shown:
            raise Problem("A vote can only choose and mark arms that were shown, each once.")
    return say


class Votes:
    """What people said, of all projects in `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(self, project_id: str, *says: Said) -> None:
        """Keep them, each in place of what the same person said of the same before. Raises Problem, keeping none."""
        for say in says:
            checked(say)

        def keep(db: sqlite3.Connection) -> None:
            for say in says:
                insert(db, project_id, say)
            kept = db.execute("SELECT count(*) FROM votes WHERE project = ?", (project_id,)).fetchone()[0]
            if kept > MOST:
                raise Problem(f"The project has more than {MOST:,} votes; no more are kept. Export and delete some.")

        self._store.write(keep)

    def delete(self, project_id: str, say_id: str) -> bool:
        """Take one back; whether there was one."""
        row = (project_id, say_id)
        sql = "DELETE FROM votes WHERE project = ? AND id = ?"
        return bool(self._store.write(lambda db: db.execute(sql, row).rowcount))

    def all(self, project_id: str, source: str | None = None) -> list[Said]:
        """Everything said in a project, or of one run or evaluation, oldest first."""
        rows = self._store.read(
            "SELECT body FROM votes WHERE project = ? AND (? IS NULL OR source = ?) ORDER BY made, rowid",
            (project_id, source, source),
        )
        return [msgspec.json.decode(row["body"], type=Said) for row in rows]

    def votes(self, project_id: str, source: str | None = None) -> list[Vote]:
        """The votes between answers."""
        return [say for say in self.all(project_id, source) if isinstance(say, Vote)]

    def marks(self, project_id: str, source: str | None = None) -> list[Mark]:
        """The marks right or wrong."""
        return [say for say in self.all(project_id, source) if isinstance(say, Mark)]

    def causes(self, project_id: str, source: str | None = None) -> list[CauseMark]:
        """The causes by hand."""
        return [say for say in self.all(project_id, source) if isinstance(say, CauseMark)]


def insert(db: sqlite3.Connection, project_id: str, say: Said) -> None:
    """Keep one inside a change of the store."""
    row = (project_id, say.id, type(say).__struct_config__.tag, say.place.id, say.made, msgspec.json.encode(say))
    db.execute("INSERT OR REPLACE INTO votes VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT))", row)


# -- files -------------------------------------------------------------------------------------------------------------


def row(say: Said) -> dict[str, Any]:
    """As JSON, in the form that `read` takes; a vote with its choice in words."""
    made: dict[str, Any] = {"id": say.id, **msgspec.to_builtins(say)}
    return made | ({"choice": say.choice} if isinstance(say, Vote) else {})


def read(raw: Any, place: str = "The vote") -> Said:
    """One say from JSON as `row` makes it, or with `choice` instead of `best`. Raises Problem."""
    if not isinstance(raw, dict):
        raise Problem(f"{place} is no JSON object.")
    aside = ("id", "choice", "expected", "reply")  # for people to read
    given = {"kind": "vote", **{name: value for name, value in raw.items() if name not in aside}}
    try:
        if "choice" in raw and "best" not in raw:
            given["best"] = list(_best(str(raw["choice"]), tuple(map(str, raw.get("shown", ())))))
        made: Said = msgspec.convert({"made": now()} | given, Said)
        return checked(made)
    except (msgspec.MsgspecError, TypeError) as error:
        raise Problem(f"{place} cannot be read: {one_line(str(error), 200)}.") from error


COLUMNS: Final = (
    "kind", "made", "voter", "source", "source_id", "number", "repeat", "question", "shown", "choice", "acceptable",
    "seed", "arm", "right", "stated", "cause",
)  # fmt: skip


def as_csv(says: Iterable[Said]) -> str:
    """One row a say, harmless in a spreadsheet; lists are separated by "|"."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for say in says:
        made = row(say) | {"source": say.place.kind, "source_id": say.place.id}
        made |= {"number": say.place.number, "repeat": say.place.repeat}
        if isinstance(say, Vote):
            made["shown"] = "|".join(say.shown)
            made["acceptable"] = "|".join(f"{arm}={'yes' if good else 'no'}" for arm, good in say.acceptable.items())
        writer.writerow({name: harmless(value) for name, value in made.items()})
    return out.getvalue()
