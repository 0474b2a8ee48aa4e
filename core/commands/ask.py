"""`python -m core ask "..." --json`: the playground's four arms without a browser."""

from core import ask, runtime
from core.commands import emit, log, parser
from core.errors import Problem
from core.text import one_line


def main(argv: list[str]) -> int:
    """Ask one question; exit status 0 when at least one arm answered, 1 when none did."""
    options = parser("ask", "One question to several arms.")
    options.add_argument("question")
    options.add_argument("--arms", default=",".join(ask.ARMS), help="comma-separated (default: all four)")
    options.add_argument("--way", default="one at a time", choices=ask.WAYS)
    options.add_argument("--top-k", type=int, default=ask.Settings.top_k)
    options.add_argument("--mode", default="hybrid", choices=("hybrid", "dense", "sparse"))
    options.add_argument("--snapshot", default=None, help="training-day, today; default: the current documents")
    options.add_argument("--temperature", type=float, default=0.0)
    options.add_argument("--max-tokens", type=int, default=ask.Settings.max_tokens)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--device", default="auto", choices=("auto", "cpu", "gpu"))
    options.add_argument("--gpu-layers", type=int, default=None)
    options.add_argument("--pinned", default=None, help="text put into the prompt of base+pinned")
    given = options.parse_args(argv)
    settings = ask.Settings(
        arms=tuple(part.strip() for part in given.arms.split(",") if part.strip()),
        way=given.way,
        top_k=given.top_k,
        mode=given.mode,
        snapshot=given.snapshot,
        temperature=given.temperature,
        max_tokens=given.max_tokens,
        seed=given.seed,
        device=given.device,
        gpu_layers=given.gpu_layers,
        pinned=given.pinned,
    )
    question = ask.checked(given.question, settings)
    try:
        here = runtime.get()
        try:
            here.prepare(settings.arms, lambda done, text: log(f"{done:4.0%} {text}"), lambda: False)
        except Problem as problem:
            log(f"not everything is there: {one_line(problem.message, 500)}")  # the arms that can answer still do
        record = here.runs.start(question, settings, watched=False).wait().record()
    finally:
        runtime.close()
    if given.json:
        emit(record)
    else:
        for arm in record["arms"]:
            print(f"[{arm['arm']}] {arm['problem'] or arm['answer']}")
    for arm in record["arms"]:
        if arm["problem"]:
            log(f"{arm['arm']}: {one_line(arm['problem'], 500)}")
    return 0 if any(arm["finish"] for arm in record["arms"]) else 1
