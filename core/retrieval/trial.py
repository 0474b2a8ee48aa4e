"""Other splitting settings tried before all documents are indexed again, in a throw-away base. Knows no screen.

The project's own base is only read. On one question, the documents that now answer it best are tried, so the effect
shows at once, among those documents only; a sweep over a question set tries all of them.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.retrieval.embedders import Remembering
from core.retrieval.knowledge import KnowledgeBase
from core.retrieval.schema import MIGRATIONS
from core.retrieval.values import BUNDLED, Embedder, Embedding, Retrieved, Settings
from core.store import Store

DOCUMENTS = 8


def ask(knowledge: KnowledgeBase, question: str, settings: Settings, top_k: int, mode: str) -> Retrieved:
    """What `question` would find among the best documents, were they indexed with `settings`."""
    found = knowledge.query(question, 4 * DOCUMENTS, mode, threshold=0.0).passages
    paths = list(dict.fromkeys(passage.document for passage in found))[:DOCUMENTS]
    with split_otherwise(knowledge, settings, paths) as other:
        return other.query(question, top_k, mode)


def embedder_of(knowledge: KnowledgeBase, name: str = "") -> Remembering | None:
    """What embeds a trial: "" the base's own (None: not to be had yet), BUNDLED, or a GGUF by its id or path.

    Each text is embedded once. Raises Problem on one that embeds nothing.
    """
    if name:
        return Remembering(knowledge.embedder_of(Embedding("" if name == BUNDLED else name)))
    own = knowledge.embedder
    return None if own is None else Remembering(own, knowledge.vector_of)


@contextmanager
def split_otherwise(
    knowledge: KnowledgeBase,
    settings: Settings,
    paths: Iterable[str],
    snapshot: str | None = None,
    *,
    embedder: Embedder | None = None,
    added: Callable[[str], None] = lambda _path: None,
) -> Iterator[KnowledgeBase]:
    """A base of its own with those documents (as `snapshot` has them), split with `settings`, gone when one leaves.

    `embedder`: instead of the base's; `added` is called after each document, and may raise to stop.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "trial.sqlite3", MIGRATIONS)
        try:
            other = knowledge.like(store, embedder)
            other.configure(settings)
            for path in paths:
                other.add(path, knowledge.text(path, snapshot=snapshot), metadata=knowledge.metadata(path, snapshot))
                added(path)
            yield other
        finally:
            store.close()
