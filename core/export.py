"""Results as text for others: one JSON document, or a run as JSON, CSV or Markdown. Knows the run's JSON only."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from core import records
from core.records import RunRecord
from core.text import plain

COLUMNS = ("arm", "title", "answer", "finish", "problem")
TIMES = ("ttft_total", "ttft_engine", "embed", "search", "queue", "prefill", "decode", "total", "load")
FLAGS = ("cold", "contended")
TOKENS = ("prompt", "prompt_reused", "output", "copied")


def one_document(result: Mapping[str, Any] | Sequence[Any]) -> str:
    """`result` as one JSON document; what JSON cannot hold (NaN, infinity) becomes null."""
    return json.dumps(_finite(result), ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def as_json(record: RunRecord) -> str:
    """The whole run."""
    return json.dumps(records.plain(record), ensure_ascii=False, indent=2)


def as_csv(record: RunRecord) -> str:
    """One row an arm: answer, times in ms, flags, tokens, decode rate, file hash."""
    out = io.StringIO()
    names = [*COLUMNS, *(f"{name}_ms" for name in TIMES), *FLAGS, *(f"tokens_{name}" for name in TOKENS)]
    writer = csv.writer(out)
    writer.writerow(["question", *names, "decode_per_s", "file_sha256"])
    for arm in record.arms:
        row = [record.question, *(getattr(arm, name) for name in COLUMNS)]
        row += [getattr(arm.timing, name) for name in TIMES + FLAGS]
        row += [getattr(arm.tokens, name) for name in TOKENS]
        row += [arm.rates.decode_per_s, arm.model.file_sha256 if arm.model else None]
        writer.writerow([harmless(cell) for cell in row])
    return out.getvalue()


def as_markdown(record: RunRecord) -> str:
    """The question and each arm's answer and main figures, safe to paste where Markdown is drawn."""
    lines = [f"# {plain(record.question)}", "", f"{record.made}, {record.settings.way}", ""]
    for arm in record.arms:
        timing, tokens = arm.timing, arm.tokens
        lines += [f"## {plain(arm.title)}", "", plain(arm.problem or arm.answer), ""]
        if timing.total is not None:
            lines += [
                f"TTFT {timing.ttft_total or 0:.0f} ms, total {timing.total:.0f} ms, "
                + ", ".join(
                    f"{'unknown' if count is None else count} {words}"
                    for count, words in (
                        (tokens.prompt, "prompt tokens"),
                        (tokens.prompt_reused, "of them reused"),
                        (tokens.output, "output tokens"),
                    )
                )
                + "".join(f", {flag}" for flag in FLAGS if getattr(timing, flag)),
                "",
            ]
        for number, passage in enumerate(arm.passages, 1):
            hop = f", second hop: {plain(passage.linked)}" if passage.linked else ""
            lines.append(f"{number}. {plain(passage.document)} ({passage.score:.2f}{hop}): {plain(passage.text)}")
        lines.append("")
    return "\n".join(lines)


def harmless(cell: object) -> object:
    """A spreadsheet runs cells that begin like a formula; a leading apostrophe makes them text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
