"""Training steps with checkpoints, resume and a learning curve. Knows rows and a model; knows no text.

The curve scores held-out rows by exact answers: the share of samples whose every answer token is the model's first
choice given the answer so far, which is when greedy decoding writes that very answer.

Under `torchrun` several processes share each step's rows and the mean of their gradients: small matrices leave the
second of two threads waiting for the first (seen: 90 tokens/s by two threads where one has 74).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.distributed as group

from core.errors import Problem

from . import lora
from .packing import Row
from .settings import Settings, rate

Step = list[Row]


def exact(model: Any, rows: Sequence[Row], pad: int, chunk: int = 3) -> tuple[float, float]:
    """Share of samples answered exactly (see above), and mean cross-entropy per answer token."""
    right: dict[tuple[int, int, int], bool] = {}
    total, count = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(rows), chunk):
            part = list(rows[start : start + chunk])
            logits, labels, where = lora.answer_logits(model, part, pad)
            total += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
            count += len(labels)
            for (row, column), hit in zip(where.tolist(), (logits.argmax(-1) == labels).tolist(), strict=True):
                key = (start + row, int(part[row].tree[column]), int(part[row].branch[column]))
                right[key] = right.get(key, True) and hit
    return sum(right.values()) / len(right), total / count


def train(
    model: Any,
    steps: Sequence[Step],
    held_out: Mapping[str, Sequence[Row]],
    settings: Settings,
    pad: int,
    checkpoint: Path,
    resume: bool = False,
    stop_after: int | None = None,
) -> dict[str, Any]:
    """Run all steps (or stop after one of them, to resume later); return the record: settings, loss, score by step.

    Writes `checkpoint` now and then, and starts from it when `resume`. Raises `Problem` on a checkpoint of another run.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
    record: dict[str, Any] = {"steps": len(steps), "settings": asdict(settings), "seconds": 0.0, "tokens": 0}
    record |= {"loss": [], "scores": []}
    first, rank, ranks = 0, *_place()
    if resume and checkpoint.is_file():
        first, record = _restore(checkpoint, model, optimizer, settings, len(steps))
        print(f"resumed at step {first} of {len(steps)}", file=sys.stderr, flush=True)
    started, before, smooth = time.monotonic(), float(record["seconds"]), math.nan
    for number in range(first, min(len(steps), stop_after or len(steps))):
        for parameters in optimizer.param_groups:
            parameters["lr"] = rate(number, len(steps), settings)
        rows = steps[number][rank::ranks]
        value = lora.loss(model, rows, pad) if rows else torch.zeros((), requires_grad=True)
        value.backward()
        if ranks > 1:
            _average(trained)
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        smooth = value.item() if math.isnan(smooth) else 0.9 * smooth + 0.1 * value.item()
        record["tokens"] += sum(len(row) for row in steps[number])
        record["seconds"] = before + time.monotonic() - started
        done = number + 1
        if rank:
            continue
        if done % min(10, settings.checkpoint_every) == 0 or done in (first + 1, len(steps)):
            record["loss"].append([done, round(smooth, 4)])
            _report(done, len(steps), first, time.monotonic() - started, record["tokens"] / record["seconds"], smooth)
        if settings.score_every and (done % settings.score_every == 0 or done == len(steps)):
            scores = {name: [round(x, 4) for x in exact(model, rows, pad)] for name, rows in held_out.items()}
            record["scores"].append({"step": done} | scores)
            print(f"  held out (exact, loss): {scores}", file=sys.stderr, flush=True)
        if done % settings.checkpoint_every == 0 or done == len(steps):
            _save(checkpoint, done, record, model, optimizer)
    return record


def _place() -> tuple[int, int]:
    """This process's number and how many share the work: (0, 1) without `torchrun`."""
    if not group.is_torchelastic_launched():
        return 0, 1
    if not group.is_initialized():
        group.init_process_group("gloo")
    return group.get_rank(), group.get_world_size()


def leads() -> bool:
    """Whether this process is the one that writes."""
    return _place()[0] == 0


def _average(trained: Sequence[torch.nn.Parameter]) -> None:
    """The mean of all processes' gradients in each of them. What a process's rows did not touch counts as zero."""
    grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in trained]
    flat = torch.cat([grad.flatten() for grad in grads])
    group.all_reduce(flat)
    flat /= group.get_world_size()
    for parameter, part in zip(trained, flat.split([grad.numel() for grad in grads]), strict=True):
        parameter.grad = part.view_as(parameter)


def _report(done: int, total: int, first: int, seconds: float, speed: float, smooth: float) -> None:
    left = seconds / (done - first) * (total - done) / 60
    text = f"step {done}/{total}  loss {smooth:.4f}  {speed:.0f} tokens/s  {left:.1f} minutes left"
    print(text, file=sys.stderr, flush=True)


def _save(path: Path, step: int, record: dict[str, Any], model: Any, optimizer: torch.optim.Optimizer) -> None:
    weights = {k: v for k, v in model.state_dict().items() if ".lora_" in k}
    temporary = path.with_name(f".{path.name}.part")
    torch.save({"step": step, "record": record, "weights": weights, "optimizer": optimizer.state_dict()}, temporary)
    temporary.replace(path)


def _restore(
    path: Path, model: Any, optimizer: torch.optim.Optimizer, settings: Settings, steps: int
) -> tuple[int, dict[str, Any]]:
    state = torch.load(path, weights_only=True)
    step, record = int(state["step"]), dict(state["record"])
    before, now = record["settings"], asdict(settings)
    if any(
        before[name] != now[name] for name in ("rank", "alpha", "learning_rate", "warm_up", "tokens_per_step", "seed")
    ):
        raise Problem(f"The checkpoint {path.name} was made with other settings: start without --resume.")
    if before["passes"] != now["passes"]:  # the passes so far are the same; the rest of the schedule is planned anew
        record.setdefault("replanned", []).append({"step": step, "passes": [before["passes"], now["passes"]]})
    record |= {"settings": now, "steps": steps}
    model.load_state_dict(state["weights"], strict=False)
    optimizer.load_state_dict(state["optimizer"])
    return step, record
