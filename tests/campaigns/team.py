"""A team on one machine: 12 people ask while 8 evaluate and workers are killed. Who waits how long, is anything lost?

    RR_HOME=FOLDER_WITH_MODELS python tests/campaigns/team.py [--minutes 30] [--alone 3] [--think 40] [--every 180]
                                                              [--write]

Through what a page holds (core/view.py), with the bundled small pair: each of 12 people asks the demo's two retrieving
arms together, thinks (exponentially, --think seconds on average) and asks again; each of 8 others has a project of
their own and evaluates it over and over. Every --every seconds a worker is killed, the two models' and the embedder's
in turn. An answer that failed is asked for again, and its first word counts from the first click.

The fair share is what the same 12 people get alone, with no evaluation and no kill (--alone minutes before). Cross-talk
is a reply other than what a lone asker got for the same prompt, or a prompt without its own question. Lost is a
question without an answer, and a row of an evaluation that is missing, double or failed. Memory is the process' and all
its workers' resident bytes, medians of the second and the last fifth. With --write kept in team.json while it grows.
"""

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core import evaluate, handles, paths  # noqa: E402
from core.arms import parse_all  # noqa: E402
from core.ask import Settings  # noqa: E402
from core.errors import Problem  # noqa: E402
from core.evaluation.questions import Question  # noqa: E402
from core.evaluation.run import Options  # noqa: E402
from core.project import Project, whole  # noqa: E402
from core.project.owners import Person  # noqa: E402
from core.runtime import Runtime  # noqa: E402
from core.view import View  # noqa: E402
from tests.campaigns.keeping import Keeper  # noqa: E402

PEOPLE, EVALUATORS = 12, 8
QUESTIONS, ASKED_BY_ONE, EVALUATED_BY_ONE = 16, 3, 8
SET = "static"
TRIES = 5
PART = "team"
SAMPLE_S = 2.0
GOAL, GOAL_MEMORY = 2.5, 0.03
ARMS = tuple(
    replace(arm, search=replace(arm.search, top_k=2), sampling=replace(arm.sampling, max_tokens=64))
    for arm in parse_all(("base+retrieval", "fine-tuned+retrieval"))
)  # two passages: prompts stay under 512 tokens, where the number of threads changes no rounding (core/DECISIONS.md)
Key = tuple[str, str]  # arm, prompt


@dataclass
class Tally:
    """What came of one phase. Many threads write to it."""

    first_words: list[float] = field(default_factory=list)  # seconds
    answers: int = 0
    asked_again: int = 0
    rows: Counter[int] = field(default_factory=Counter)  # by evaluator
    evaluations: int = 0
    crossed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    other_prompts: int = 0
    said: Counter[str] = field(default_factory=Counter)
    killed: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # MB
    handles: list[int] = field(default_factory=list)


@dataclass
class Team:
    """The machine, its people, and what a lone asker gets."""

    machine: Runtime
    demo: Project
    questions: list[Question]
    think_s: float
    right: dict[Key, str] = field(default_factory=dict)
    ends: threading.Event = field(default_factory=threading.Event)

    def view(self, name: str) -> View:
        who = Person(name, f"{name}@example.org", name)
        self.machine.people.note(who)
        return View(self.machine, who)

    def learn(self) -> None:
        """What a lone asker gets for every question."""
        for question in self.questions:
            record = self.machine.ask(self.demo, question.question, Settings(ARMS), watched=False).wait(120).record()
            for arm in record.arms:
                if arm.problem or not arm.tokens.prompt or arm.tokens.prompt >= 512:
                    raise Problem(f"{arm.arm} on '{question.question}': {arm.problem or 'the prompt is too long'}")
                self.right[arm.arm, arm.prompt] = arm.answer

    def check(self, tally: Tally, who: str, question: str, arm: str, prompt: str, reply: str) -> None:
        """Note a reply that is not its own."""
        if question not in prompt:
            tally.crossed.append(f"{who}: the prompt is another question's")
        elif (arm, prompt) not in self.right:
            tally.other_prompts += 1  # its embedder was being restarted: words alone were searched
        elif self.right[arm, prompt] != reply:
            tally.crossed.append(f"{who}, {arm}, {question}: {reply!r}")

    def person(self, number: int, tally: Tally) -> None:
        """Ask, think, ask again."""
        draw, view = random.Random(number), self.view(f"asks{number}")
        own = [self.questions[(number * ASKED_BY_ONE + n) % len(self.questions)] for n in range(ASKED_BY_ONE)]
        self.ends.wait(draw.random() * self.think_s)
        while not self.ends.is_set():
            self.ask(view, draw.choice(own).question, tally)
            self.ends.wait(min(draw.expovariate(1 / self.think_s), 4 * self.think_s))

    def ask(self, view: View, question: str, tally: Tally) -> None:
        """One question, its failed answers again."""
        began, arms = time.monotonic(), ARMS
        for _ in range(TRIES):
            sent = time.monotonic() - began
            record = view.ask(self.demo, question, Settings(arms), watched=False).wait(600).record()
            failed = []
            for arm, made in zip(arms, record.arms, strict=True):
                if made.problem is not None or made.timing.ttft_total is None:
                    tally.said[str(made.problem)[:100]] += 1
                    failed.append(arm)
                    continue
                tally.answers += 1
                tally.first_words.append(sent + made.timing.ttft_total / 1000)
                self.check(tally, view.person.name, question, made.arm, made.prompt, made.answer)
            arms = tuple(failed)
            if not arms:
                return
            tally.asked_again += len(arms)
        tally.lost.append(f"{view.person.name}: no answer to {question}")

    def evaluator(self, number: int, tally: Tally) -> None:
        """Evaluate a project of one's own over and over; the last one is stopped on its way."""
        view = self.view(f"evaluates{number}")
        project = whole.duplicate(view, self.demo, f"Team {number}")
        own = [self.questions[(number * 2 + n) % len(self.questions)] for n in range(EVALUATED_BY_ONE)]
        while not self.ends.is_set():
            job = evaluate.start(view, project, own, Options(ARMS), fresh=True)
            while view.jobs.get(job.id).active and not self.ends.wait(0.5):
                pass
            if self.ends.is_set():
                view.jobs.cancel(job.id)
            ended = view.jobs.wait(job.id, 120)
            self.count(tally, number, view.jobs.rows(job.id), own, whole_run=ended.state == "done", state=ended.state)

    def count(
        self, tally: Tally, number: int, rows: list[dict[str, Any]], own: list[Question], *, whole_run: bool, state: str
    ) -> None:
        """Are all rows there, once, each with its own answer?"""
        who, wanted = f"evaluates{number}", [(n, arm.name) for n in range(len(own)) for arm in ARMS]
        places = [(row["number"], row["arm"]) for row in rows]
        if (
            len(set(places)) < len(places)
            or not set(places) <= set(wanted)
            or (whole_run and len(places) < len(wanted))
        ):
            tally.lost.append(f"{who}: rows {places}")
        if not whole_run and not self.ends.is_set():
            tally.lost.append(f"{who}: the evaluation {state}")
        tally.evaluations += whole_run
        tally.rows[number] += len(rows)
        for row in rows:
            if row["problem"]:
                tally.lost.append(f"{who}: {row['problem']}")
            else:
                self.check(tally, who, own[row["number"]].question, row["arm"], row["prompt"], row["reply"])

    def workers(self) -> list[dict[str, Any]]:
        return [one for one in self.machine.engine.status() if one.get("pid") and one["state"] == "ready"]

    def sample(self, tally: Tally) -> None:
        """Memory and handles, while all three workers run."""
        workers = self.workers()
        if len(workers) == 3:
            held = psutil.Process().memory_info().rss + sum(one["memory"] or 0 for one in workers)
            tally.memory.append(held / 1e6)
            tally.handles.append(len(list(Path("/proc/self/fd").iterdir())))

    def kill(self, tally: Tally) -> None:
        """Kill a worker that is at work, or at least there."""
        ready = {one["id"]: one for one in self.workers()}
        wanted = sorted(ready)[len(tally.killed) % len(ready)] if ready else None
        end = time.monotonic() + 5
        while wanted and time.monotonic() < end and not self.ends.wait(0.02):
            now = next((one for one in self.workers() if one["id"] == wanted), None)
            if now and now["running"]:
                break
        if wanted and (now := next((one for one in self.workers() if one["id"] == wanted), None)):
            os.kill(now["pid"], signal.SIGKILL)
            tally.killed.append(wanted)

    def phase(
        self, tally: Tally, minutes: float, evaluators: int, every_s: float | None, keep: Callable[[], None]
    ) -> None:
        """Run people and evaluators for so long."""
        self.ends.clear()

        def guarded(work: Callable[[int, Tally], None], number: int) -> None:
            try:
                work(number, tally)
            except Exception as error:  # whatever it is, somebody was left without an answer
                tally.lost.append(f"{work.__name__} {number} ended: {error!r}")

        threads = [threading.Thread(target=guarded, args=(self.person, number)) for number in range(PEOPLE)]
        threads += [threading.Thread(target=guarded, args=(self.evaluator, number)) for number in range(evaluators)]
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        kill_at = begun + every_s if every_s else float("inf")
        while time.monotonic() < begun + minutes * 60:
            self.sample(tally)
            if time.monotonic() >= kill_at:
                kill_at += every_s or 0
                self.kill(tally)
            keep()
            time.sleep(SAMPLE_S)
        self.ends.set()
        for thread in threads:
            thread.join(300)
        if any(thread.is_alive() for thread in threads):
            tally.lost.append("somebody still waits")


def waits(tally: Tally) -> dict[str, Any]:
    """The distribution of times to the first word."""
    found = tally.first_words or [float("nan")]
    p50, p95 = (round(float(np.percentile(found, share)), 2) for share in (50, 95))
    return {"answers": tally.answers, "p50_s": p50, "p95_s": p95, "max_s": round(max(found), 2)}


def growth(values: list[float]) -> float | None:
    """From the second to the last fifth, medians."""
    fifth = len(values) // 5
    if not fifth:
        return None
    return round(statistics.median(values[-fifth:]) / statistics.median(values[fifth : 2 * fifth]) - 1, 4)


def found(given: argparse.Namespace, alone: Tally, company: Tally) -> dict[str, Any]:
    """The record, so far or for good."""
    fair, there, memory = waits(alone), waits(company), growth(company.memory)
    ratio = round(there["p95_s"] / fair["p95_s"], 2) if company.answers and alone.answers else None
    lost, crossed = alone.lost + company.lost, alone.crossed + company.crossed
    rows = [company.rows[number] for number in range(EVALUATORS)]
    return {
        "minutes": given.minutes,
        "minutes_alone": given.alone,
        "people": PEOPLE,
        "evaluators": EVALUATORS,
        "think_s": given.think,
        "first_word_alone": fair,
        "first_word_in_company": there,
        "p95_over_fair_share": ratio,
        "killed": dict(Counter(company.killed)),
        "asked_again": company.asked_again,
        "said": dict(company.said.most_common(5)),
        "evaluations_ended": company.evaluations,
        "rows_by_evaluator": rows,
        "searched_by_words_alone": company.other_prompts,
        "cross_talk": len(crossed),
        "lost": len(lost),
        "first_wrong": (crossed + lost)[:5],
        "memory_mb": [round(value, 1) for value in company.memory[:: max(1, len(company.memory) // 10)]],
        "memory_growth": memory,
        "handles": [min(company.handles, default=0), max(company.handles, default=0)],
        "goals": {
            "p95": ratio is not None and ratio <= GOAL,
            "cross_talk": not crossed,
            "nothing_lost": not lost,
            "memory": memory is not None and abs(memory) <= GOAL_MEMORY,
        },
    }


def main() -> int:
    """See the module's text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--alone", type=float, default=3)
    options.add_argument("--think", type=float, default=40)
    options.add_argument("--every", type=float, default=180)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    keeper = Keeper(Path(__file__).with_suffix(".json") if given.write else None)
    models = paths.weights_dir()
    alone, company = Tally(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").symlink_to(models.resolve())
        os.environ["RR_HOME"] = folder
        handles.few_heaps()  # as app.py does
        machine = Runtime(resume=True)
        try:
            demo = machine.projects.get("brightwater")
            machine.prepare(demo, ARMS, lambda _done, _text: None, lambda: False)
            asked = machine.questions.read(demo, SET)[:QUESTIONS]
            team = Team(machine, demo, list(asked), given.think)
            keeper.begin(PART)
            team.learn()

            def keep() -> None:
                if keeper.due():
                    so_far = f"{alone.answers} answers alone, {company.answers} in company, {company.rows.total()} rows"
                    keeper.keep(PART, found(given, alone, company), so_far)

            team.phase(alone, given.alone, 0, None, keep)
            team.phase(company, given.minutes, EVALUATORS, given.every, keep)
        finally:
            machine.close()
    result = found(given, alone, company)
    keeper.keep(PART, result)
    return 0 if all(result["goals"].values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
