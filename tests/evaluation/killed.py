"""The app's process of a kill -9 test: it starts an evaluation, or goes on with the one an earlier process left."""

import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from core import evaluate
from core.engine import Generation, Request
from core.evaluation.run import Options
from core.runtime import Runtime
from tests.evaluation.scripted import LINES, PRICE, SKY, STREET, Books, Script, parts
from tests.given import BRIGHTWATER, chosen

ASKED = tuple([PRICE, STREET, SKY] * 7)
OPTIONS = Options(chosen(("base", "base+retrieval", "fine-tuned+retrieval")))
BETWEEN_S = 0.002  # a reply takes a moment, so that a kill may come at any


@dataclass
class Told(Script):
    """The scripted engine; tells the parent of each request."""

    parent: Connection | None = None

    def submit(self, request: Request) -> Generation:
        if self.parent is not None:
            self.parent.send_bytes(b"1")
        time.sleep(BETWEEN_S)
        return super().submit(request)


def app(folder: str, parent: Connection | None = None) -> None:
    """Run until the evaluation is done."""
    os.environ["RR_HOME"] = folder
    engine, books = Told(dict(LINES), parent=parent), Books()
    Runtime.parts = lambda here, project: parts(engine, books)  # type: ignore[method-assign]
    Runtime.identities = lambda here, *_: ["scripted"]  # type: ignore[method-assign]
    here = Runtime(resume=True)
    known = here.jobs.list(evaluate.KIND)  # taking up what was left begins with the first look
    job = known[0] if known else evaluate.start(here, BRIGHTWATER, ASKED, OPTIONS)
    here.jobs.wait(job.id, 60)
    here.close()
