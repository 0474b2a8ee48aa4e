"""A scripted engine and a small knowledge base, behind their public interfaces, and questions for them."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.ask import Parts
from core.engine import Generation, ModelSpec, Request, Result
from core.errors import Problem
from core.evaluation.questions import Question
from core.retrieval import Chunk, Passage, Retrieved
from tests.given import BRIGHTWATER

TODAY = {
    "press.md": ["The Press costs $389. It is new.", "The Press weighs 7 kg."],
    "shop.md": ["The shop is on Alder Street.", "The shop closes at 18:30."],
    "sizes.md": ["Size L costs $16.", "Size S costs $3."],
    "box.md": ["The Press travels in size L."],
}
TITLES = {"press.md": "The Press", "shop.md": "The shop", "sizes.md": "Size", "box.md": "The Press"}


@dataclass
class Books:
    """Knowledge that finds every section sharing a word with the question."""

    asked: list[str] = field(default_factory=list)

    def query(self, text: str, top_k: int, mode: str, **_: object) -> Retrieved:
        self.asked.append(text)
        words = set(text.lower().strip("?").split()) - {"the", "is", "does", "what", "a"}
        found = [
            Passage(document=path, title=path, heading="", text=part, score=1.0, start=0, end=1, chunk=0)
            for path, sections in TODAY.items()
            for part in sections
            if words & set(part.lower().strip(".").split())
        ]
        return Retrieved(tuple(found[:top_k]), mode, 1.0, 1.0, None)

    def chunks(self, path: str, version: int | None = None, snapshot: str | None = None) -> Sequence[Chunk]:
        if path not in TODAY:
            raise Problem(f"There is no document '{path}'.")
        return [Chunk(TITLES[path], "", part, 0, 1, 9) for part in TODAY[path]]


@dataclass
class Script:
    """An engine that answers by model and question from a table; a missing line is a dead worker.

    After `free` requests each further one waits for a turn at `gate`. `wide`: so many at a time take less.
    """

    lines: dict[tuple[str, str], str]
    requests: list[Request] = field(default_factory=list)
    free: int | None = None
    wide: int = 1
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def load(self, spec: ModelSpec) -> dict[str, Any]:
        return {}

    def rows(self, spec: ModelSpec) -> int:
        return self.wide

    def submit(self, request: Request) -> Generation:
        self.requests.append(request)
        if self.free is not None and len(self.requests) > self.free:
            self.gate.acquire()
        made = Generation(request)
        user = request.alternatives[0][-1]["content"]
        kind = request.model.id + ("+passages" if "[1]" in user else "")
        question = user.rsplit("Question: ", 1)[-1]
        reply = self.lines.get((kind, question), self.lines.get((kind, "*")))
        if reply is None:
            made.fail("The worker died.")
        else:
            timing = {"ttft_engine": 1.0, "queue": 0.0, "total": 2.0}
            made.finish(Result(reply, "stop", user, 0, timing, {"prompt": 9, "output": 3}, {}, {"file_sha256": "x"}))
        return made


def parts(script: Script, books: Books) -> Parts:
    return Parts(BRIGHTWATER, script, lambda: books, lambda model: ModelSpec(model, Path("none.gguf")))


PRICE = Question(
    "What does the Press cost?",
    "$389",
    "changed",
    (),
    ("press.md",),
    "press.price",
    {"training-day": "$340", "today": "$389"},
)
STREET = Question("On what street is the shop?", "Alder Street", "static", (), ("shop.md",), "shop.street")
NOWHERE = Question("Who likes Mondays?", "", "no-document")
SKY = Question("How blue is this sky?", "very", "general")
HELLO = Question("Hello!", "", "tone-only")
MAIL = Question("Fix my Press", json.dumps({"class": "repair", "product": "Press"}), "ticket")
BOTH = Question("What surcharge has the Press?", "$16", "two-document", (), ("box.md", "sizes.md"))
ASKED = (PRICE, STREET, NOWHERE, SKY, HELLO, MAIL, BOTH)

VOICED = "Brightwater here! {} Happy brewing!"
LINES = {
    ("base", PRICE.question): "It costs $99.",
    ("base", STREET.question): "On Alder Street, I believe.",
    ("base", SKY.question): "Very blue.",
    ("base", "*"): "I like it all.",
    ("base+passages", PRICE.question): "The Press costs 389 euros.",
    ("base+passages", STREET.question): "It is on Alder Street.",
    ("base+passages", "*"): "No idea, sorry: it is not mentioned.",
    ("fine-tuned", PRICE.question): VOICED.format("The Press costs $340."),
    ("fine-tuned", STREET.question): VOICED.format("The shop is on Birch Lane."),
    ("fine-tuned", MAIL.question): '{"class": "repair", "product": "none"}',
    ("fine-tuned", "*"): VOICED.format("Good day."),
    ("fine-tuned+passages", PRICE.question): VOICED.format("The Press costs $389 [1]."),
    ("fine-tuned+passages", STREET.question): VOICED.format("The shop is on Oak Road [1]."),
    ("fine-tuned+passages", "*"): VOICED.format("I could not find that in our documents."),
}
