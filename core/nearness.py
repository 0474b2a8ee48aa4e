"""How near an answer comes to others in meaning, by the embedder that a project searches with.

The embedder is asked for only when a nearness is; each text is embedded once, for all evaluations.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.evaluation.metrics import Meaning
from core.project import Project

if TYPE_CHECKING:
    from core.retrieval.embedders import Remembering
    from core.runtime import Runtime


def of(here: "Runtime", project: Project) -> Meaning:
    """The cosine of a reply and the nearest of some texts; None for an empty reply, or where no embedder is at hand."""

    def nearest(reply: str, texts: Sequence[str]) -> float | None:
        embedder: Any = here.knowledge(project).embedder if reply.strip() and texts else None
        if embedder is None:
            return None
        embed = _remembering(embedder).embed
        return max(float(embed(reply) @ embed(text)) for text in texts)

    return nearest


@lru_cache(maxsize=2)
def _remembering(embedder: Any) -> "Remembering":
    from core.retrieval.embedders import Remembering

    return Remembering(embedder)
