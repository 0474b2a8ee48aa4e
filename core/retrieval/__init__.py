"""The knowledge base: documents with versions, chunks, embeddings and a word index in one SQLite file.

    reader -> splitter -> embedder -> vector store -> retriever      (LlamaIndex's interfaces, llama.py)

    values.py     what goes in and out: Passage, Retrieved, Settings, ...
    knowledge.py  KnowledgeBase: what pages and commands call
    sources.py    what folders, zips and uploads hold (selection.py: patterns); syncing.py: plan, then exactly that
    indexing.py   documents in; listing.py: what is there; versions.py: texts and snapshots
    alone.py      one build at a time, whichever process does it
    index.py      chunks in SQLite, searched by vector (vectors.py), by word (words.py) or both (fusion.py)
    handover.py   vectors that lie at a server: handed over, looked after, taken back; chroma.py: that server
    embedders.py  the engine's worker, or an endpoint elsewhere
    sections.py   a document's title and sections (outline.py: headings); wordpiece.py: the embedder's tokens, counted
    parsing.py    uploads to text, in a limited worker process (parse_worker.py)
    uploads.py    files a person sent, as jobs; trial.py: other settings tried in a throw-away base
    rankings.py   a question searched once and ranked in many ways
    locate.py     matches to highlight; citations.py: an answer's citations checked

Importing this package imports neither LlamaIndex nor an engine: that happens on first use.
"""

from core.retrieval.knowledge import KnowledgeBase
from core.retrieval.values import Chunk, Document, Embedder, Passage, Retrieved, Settings, Version

__all__ = [
    "Chunk",
    "Document",
    "Embedder",
    "KnowledgeBase",
    "Passage",
    "Retrieved",
    "Settings",
    "Version",
]
