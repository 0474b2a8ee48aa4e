"""Other splitting settings tried on one question, before all documents are indexed again. Knows no screen.

The documents that now answer the question best are split and embedded anew in a throw-away base and the question is
asked there. So the effect shows at once, among those documents only.
"""

import tempfile
from pathlib import Path

from core.retrieval.knowledge import KnowledgeBase
from core.retrieval.schema import MIGRATIONS
from core.retrieval.values import Retrieved, Settings
from core.store import Store

DOCUMENTS = 8


def ask(knowledge: KnowledgeBase, question: str, settings: Settings, top_k: int, mode: str) -> Retrieved:
    """What `question` would find among the best documents, were they indexed with `settings`."""
    found = knowledge.query(question, 4 * DOCUMENTS, mode, threshold=0.0).passages
    paths = list(dict.fromkeys(passage.document for passage in found))[:DOCUMENTS]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "trial.sqlite3", MIGRATIONS)
        try:
            other = knowledge.like(store)
            other.configure(settings)
            for path in paths:
                other.add(path, knowledge.text(path))
            return other.query(question, top_k, mode)
        finally:
            store.close()
