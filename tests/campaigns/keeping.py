"""What every long campaign needs: progress on standard error, and results kept while they grow. Knows no campaign."""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

EVERY_S = 10.0


class Keeper:
    """The parts of a campaign as one JSON file; `path` None keeps nothing. Each part says when and how it was made."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._begun: dict[str, dict[str, Any]] = {}
        self._began: dict[str, float] = {}
        self._said = 0.0

    def begin(self, part: str) -> None:
        """Note date and load before the part adds to it."""
        self._begun[part] = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "load_average_before": round(os.getloadavg()[0], 2),
        }
        self._began[part] = time.monotonic()
        self._say(f"{part} begins")

    def due(self) -> bool:
        """Whether it is time for the next word: finding out what there is so far costs the caller something."""
        return time.monotonic() - self._said > EVERY_S

    def keep(self, part: str, found: dict[str, Any], progress: str | None = None) -> None:
        """What `part` has found: so far when there is `progress`, else for good."""
        self._say(f"{part}: {progress or 'done'}")
        record = self._begun[part] | {
            "load_average_after": round(os.getloadavg()[0], 2),
            "seconds": round(time.monotonic() - self._began[part]),
            "complete": progress is None,
        }
        if progress is None:
            print(part, json.dumps(record | found, ensure_ascii=False), flush=True)
        if self._path is None:
            return
        before = json.loads(self._path.read_text()) if self._path.exists() else {}
        stage = self._path.with_suffix(".tmp")
        stage.write_text(json.dumps(before | {part: record | found}, indent=1, ensure_ascii=False) + "\n")
        stage.replace(self._path)

    def _say(self, what: str) -> None:
        self._said = time.monotonic()
        print(f"{time.strftime('%H:%M:%S')}  load {os.getloadavg()[0]:4.1f}  {what}", file=sys.stderr, flush=True)
