"""Four panes asked together through the faulty proxy, and what is wrong with what they show. Nothing should be."""

import time
from collections.abc import Callable, Mapping

from core import ask
from core.arms import Arm
from core.endpoint import Endpoints
from core.project import Model, Project
from core.runtime import spec
from tests.endpoint.faulty import FATAL, Proxy, is_plain

SLACK_S = 20.0  # for a busy machine, beside the deadline itself


def project(url: str, names: tuple[str, ...]) -> Project:
    """One endpoint model an arm."""
    models = tuple(Model(name, name.title(), name, endpoint=url) for name in names)
    return Project("far", "Far", models=models, arms=tuple(Arm(name) for name in names))


def play(
    proxy: Proxy, endpoints: Endpoints, shown: Project, question: str, faults: Mapping[str, str], total_s: float,
    right: Callable[[str], str],
) -> tuple[list[str], float]:  # fmt: skip
    """Ask all arms at once, `faults` by model; gives what is wrong, and the seconds it took.

    `right`: the answer of a model to this question. An arm without a fault, or with one that is survived, must give
    exactly that; another must end in one plain line, and what it shows of an answer be the beginning of its own.
    """
    for model, fault in faults.items():
        proxy.plan[model, question] = fault
    parts = ask.Parts(shown, endpoints, lambda: None, lambda model: spec(shown, model))  # type: ignore[arg-type, return-value]
    began = time.monotonic()
    run = ask.Run(question, ask.Settings(shown.arms), parts).start()
    ended = run.done.wait(total_s + SLACK_S)
    seconds = time.monotonic() - began
    wrong = [] if ended else [f"not ended after {seconds:.1f} s"]
    for arm in run.record().arms:
        fault = faults.get(arm.model_id, "")
        own = right(arm.model_id)
        place = f"{arm.model_id} with '{fault}'"
        if fault in FATAL:
            if not is_plain(arm.problem):
                wrong.append(f"{place}: no plain line but {arm.problem!r}")
            if not own.startswith(arm.answer or ""):
                wrong.append(f"{place}: shows {arm.answer!r}, which is not its own")
        elif arm.problem or arm.answer != own:
            wrong.append(f"{place}: {arm.problem!r} {arm.answer!r} instead of {own!r}")
    if not ended:
        run.stop()
    return wrong, seconds
