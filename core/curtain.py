"""Who is on stage: the sessions that stand in a scene of a project's story, so that none leaves its change behind.

A scene's change of a document stands while its session does. Once the session has gone elsewhere, or is gone (its tab
was closed), whoever comes next takes it back. Kept by the process alone: after a restart nobody is on stage, and what
stands is offered to be taken back (`story.standing`). Knows no screen.
"""

import threading
from collections.abc import Callable


class Curtain:
    """Session -> the project whose story it plays. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on_stage: dict[str, str] = {}

    def enter(self, session: str, project: str) -> None:
        """A session stands in a scene of a project."""
        with self._lock:
            self._on_stage[session] = project

    def leave(self, session: str) -> None:
        """A session has ended its story, and took its change back itself."""
        with self._lock:
            self._on_stage.pop(session, None)

    def playing(self) -> set[str]:
        """The projects whose story some session plays."""
        with self._lock:
            return set(self._on_stage.values())

    def left(self, gone: Callable[[str], bool]) -> list[str]:
        """The projects that sessions have left in a scene, each handed out once: `gone` says which sessions are not on
        their story's page any more. A project that another session still plays is left to that one."""
        with self._lock:
            if not self._on_stage:
                return []
            over = {session: project for session, project in self._on_stage.items() if gone(session)}
            for session in over:
                del self._on_stage[session]
            return list(dict.fromkeys(one for one in over.values() if one not in self._on_stage.values()))
