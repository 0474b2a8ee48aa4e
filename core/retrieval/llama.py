"""The knowledge base behind LlamaIndex's interfaces: reader, splitter, embedding, vector store, retriever.

The only module that imports llama_index, and itself imported only inside functions (about one second, once). Every
model is passed by hand and nothing is set globally, so no default (a paid API) can ever be resolved.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from core.errors import Problem

try:
    from llama_index.core import VectorStoreIndex
except ModuleNotFoundError as error:
    raise Problem(
        "Retrieval needs llama-index, not installed here: python -m pip install -r requirements.txt"
    ) from error
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import NodeParser, SentenceSplitter
from llama_index.core.node_parser.node_utils import build_nodes_from_splits
from llama_index.core.node_parser.text.utils import split_by_sentence_tokenizer
from llama_index.core.readers.base import BaseReader
from llama_index.core.retrievers import VectorIndexRetriever
from llama_index.core.schema import BaseNode, MetadataMode, QueryBundle, TextNode
from llama_index.core.schema import Document as LlamaDocument
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    FilterCondition,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from pydantic import PrivateAttr

from core.retrieval import filters, outline, sections, words
from core.retrieval.embedders import BATCH
from core.retrieval.index import Hit, Index, Where, add_chunks, content_hash, touch
from core.retrieval.values import CURRENT, Chunk, Embedder, Passage, Settings, Vector, context
from core.retrieval.versions import put_version
from core.retrieval.wordpiece import WordPiece

_MODES = {
    "dense": VectorStoreQueryMode.DEFAULT,
    "sparse": VectorStoreQueryMode.SPARSE,
    "hybrid": VectorStoreQueryMode.HYBRID,
}
_MODE_NAMES = {mode: name for name, mode in _MODES.items()}
# A phrase, as LlamaIndex cuts one, but never longer than 400 characters: a text without a full stop or a space would
# otherwise be cut letter by letter (400,000 letters took over a minute).
PHRASE = "[^,.;。？！]{1,400}[,.;。？！]?|[,.;。？！]"
Known = Callable[[Sequence[bytes]], dict[bytes, Vector]]
_HIDDEN = ["title", "heading", "start", "stop", "tokens"]  # metadata that neither embedder nor model is shown
_LEAD = "lead"  # metadata that both are shown, where there is any


class TextReader(BaseReader):  # type: ignore[misc]
    """Reader: texts already decoded become LlamaIndex documents whose id is the path in the folder."""

    def lazy_load_data(self, texts: Iterable[tuple[str, str]]) -> Iterable[LlamaDocument]:
        """One document per (path, text). Its pieces will be embedded as `Chunk.text`."""
        for path, text in texts:
            title = sections.title(text, path)
            yield LlamaDocument(
                id_=path,
                text=text,
                metadata={"context": title, "title": title, "heading": ""},
                excluded_embed_metadata_keys=_HIDDEN,
                excluded_llm_metadata_keys=_HIDDEN,
                metadata_template="{value}",
                text_template="{metadata_str}\n{content}",
            )


class SectionSplitter(NodeParser):  # type: ignore[misc]
    """Splitter: each section under a heading, cut by LlamaIndex's SentenceSplitter where it is too long.

    With the setting "sentences" the whole text is one section: the plain sentence splitter. Every piece knows its
    place in the document, and the line with its heading path counts as part of it; so does the document's first
    sentence, which goes with every piece below it: "the lever machine" is said there, and its price further down.
    """

    _settings: Settings = PrivateAttr()
    _tokenizer: WordPiece = PrivateAttr()
    _by_room: dict[tuple[int, bool], SentenceSplitter] = PrivateAttr(default_factory=dict)

    def __init__(self, settings: Settings, tokenizer: WordPiece) -> None:
        super().__init__(include_prev_next_rel=False)
        self._settings = settings
        self._tokenizer = tokenizer

    def _parse_nodes(self, nodes: Sequence[BaseNode], show_progress: bool = False, **_: Any) -> list[BaseNode]:
        return [piece for node in nodes for piece in self._pieces(node)]

    def _pieces(self, node: BaseNode) -> Iterable[BaseNode]:
        text = node.get_content(metadata_mode=MetadataMode.NONE)
        title = node.metadata["title"]
        by_headings = self._settings.splitter == "headings"
        path = node.node_id
        lead, below = self._lead(text, path)
        for section in sections.sections(text, path) if by_headings else sections.whole(text, path):
            heading, where, room = self._place(title, section.path, lead)
            at, before = section.start, ""
            for body in self._splitter(room, outline.is_source(path)).split_text(text[section.start : section.end]):
                at, before = text.index(body, at + (body == before)), body  # with overlap two may begin together
                piece = build_nodes_from_splits([body], node)[0]
                piece.metadata = node.metadata | {"context": where, "heading": heading}
                if lead and at >= below:
                    piece.metadata[_LEAD] = lead
                piece.metadata["tokens"] = self._tokenizer.count(piece.get_content(metadata_mode=MetadataMode.EMBED))
                piece.metadata |= {"start": at, "stop": at + len(body)}
                yield piece

    def _lead(self, text: str, path: str) -> tuple[str, int]:
        """The document's first sentence in one line, "" where it would fill a quarter of a chunk; where it ends."""
        found = sections.lead(text, path)
        line = " ".join(found.split())
        fits = self._tokenizer.count(line) <= self._settings.chunk_size // 4
        return line if fits else "", text.find(found) + len(found)

    def _place(self, title: str, path: tuple[str, ...], lead: str) -> tuple[str, str, int]:
        """(heading path, the line that says where a piece stands, tokens left for the piece beside that and the lead).

        A heading path that would fill half a chunk is shortened to its last heading, then left out.
        """
        size = self._settings.chunk_size
        for heading in (sections.heading(title, path), sections.heading(title, path[-1:]), ""):
            where = context(title, heading)
            tokens = self._tokenizer.count(where)
            if tokens <= size // 2:
                break
        return heading, where, max(size - tokens - (self._tokenizer.count(lead) if lead else 0), size // 4)

    def _splitter(self, room: int, by_lines: bool) -> SentenceSplitter:
        """LlamaIndex's splitter for pieces of at most `room` tokens, made of sentences or (source files) lines."""
        if (room, by_lines) not in self._by_room:
            self._by_room[room, by_lines] = SentenceSplitter(
                chunk_size=room,
                chunk_overlap=min(self._settings.overlap, room // 2),
                tokenizer=self._tokenizer.tokens,
                paragraph_separator="\n\n",
                chunking_tokenizer_fn=_code_lines if by_lines else _sentences,
                secondary_chunking_regex=PHRASE,
            )
        return self._by_room[room, by_lines]


def _sentences(text: str) -> list[str]:
    """LlamaIndex's sentence tokenizer, but space before the first sentence is kept: pieces must join to the text."""
    found = split_by_sentence_tokenizer()(text)
    lead = text[: len(text) - sum(map(len, found))]  # punkt drops it from some texts and not from others
    return [lead + found[0], *found[1:]] if found else [text]


def _code_lines(text: str) -> list[str]:
    return text.splitlines(keepends=True) or [text]


class PassedEmbedding(BaseEmbedding):  # type: ignore[misc]
    """Embedding: hands every text to the embedder it was given."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(model_name=embedder.identity, embed_batch_size=BATCH)
        self._embedder = embedder

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [list(map(float, vector)) for vector in self._embedder.embed_passages(texts)]

    def _get_query_embedding(self, query: str) -> list[float]:
        return list(map(float, self._embedder.embed(query)))

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


class SqliteVectorStore(BasePydanticVectorStore):  # type: ignore[misc]
    """Vector store: add, delete by document, query dense / sparse / hybrid with metadata filters, over one SQLite file.

    `add(..., connection=, version=)` joins the caller's transaction and version of a document; without them each
    document's nodes replace what the current view has of it, in a transaction of their own.
    """

    stores_text: bool = True
    flat_metadata: bool = True
    _index: Index = PrivateAttr()

    def __init__(self, index: Index) -> None:
        super().__init__(stores_text=True)
        self._index = index

    @property
    def client(self) -> Index:
        """The index underneath."""
        return self._index

    def add(
        self,
        nodes: Sequence[BaseNode],
        connection: sqlite3.Connection | None = None,
        version: int | None = None,
        **_: Any,
    ) -> list[str]:
        """Store nodes with (or still without) their embeddings; gives their ids."""
        if connection is not None and version is not None:
            return _add(connection, version, nodes)
        by_document: dict[str, list[BaseNode]] = {}
        for node in nodes:
            by_document.setdefault(node.ref_doc_id or node.node_id, []).append(node)
        return self._index.store.write(
            lambda connection: [
                added
                for path, members in by_document.items()
                for added in _add(connection, _own_version(connection, path, members), members)
            ]
        )

    def delete(self, ref_doc_id: str, **_: Any) -> None:
        """Take a document out of the current view."""

        def change(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM views WHERE name = ? AND document = (SELECT id FROM documents WHERE path = ?)",
                (CURRENT, ref_doc_id),
            )
            touch(connection)

        self._index.store.write(change)

    def query(self, query: VectorStoreQuery, view: str = CURRENT, **_: Any) -> VectorStoreQueryResult:
        """The best nodes, best first, with similarities as in index.Hit.score."""
        mode = _MODE_NAMES.get(query.mode)
        if mode is None:
            raise Problem(f"The vector store has no mode '{query.mode}'. Modes: {', '.join(_MODES)}.")
        where = _where(query.filters)
        if query.doc_ids:
            where = filters.every([where, filters.condition("document", "in", list(query.doc_ids))])
        vector = None if query.query_embedding is None else np.asarray(query.query_embedding, np.float32)
        weight = Settings.weight if query.alpha is None else query.alpha
        hits = self._index.search(
            query.query_str or "", vector, mode, query.similarity_top_k, view=view, where=where, weight=weight
        )
        nodes = _nodes(self._index, hits)
        return VectorStoreQueryResult(
            nodes=nodes, similarities=[hit.score for hit in hits], ids=[node.node_id for node in nodes]
        )


class Pipeline:
    """The five parts put together for one knowledge base."""

    def __init__(self, index: Index, tokenizer: WordPiece) -> None:
        self.store = SqliteVectorStore(index)
        self._tokenizer = tokenizer

    def split(self, path: str, text: str, settings: Settings) -> list[BaseNode]:
        """Reader and splitter: the pieces of one document, not embedded."""
        splitting = IngestionPipeline(transformations=[SectionSplitter(settings, self._tokenizer)], disable_cache=True)
        documents = TextReader().load_data([(path, text)])
        try:
            return list(splitting.run(documents=documents))
        except ValueError as error:  # LlamaIndex: one letter has more tokens than a chunk
            raise Problem(f"'{path}' cannot be split at {settings.chunk_size} tokens ({error}).") from error

    def preview(self, path: str, text: str, settings: Settings) -> list[Chunk]:
        """What `split` would make, as plain values."""
        return [chunk(node) for node in self.split(path, text, settings)]

    def nodes(self, texts: Iterable[str]) -> list[BaseNode]:
        """Pieces already split, by the text that is to be embedded."""
        return [TextNode(text=text) for text in texts]

    def embed(self, nodes: Sequence[BaseNode], embedder: Embedder, known: Known) -> int:
        """Embedding: give each node its vector, from `known` where its text has one; gives how many were made."""
        hashes = [content_hash(node.get_content(metadata_mode=MetadataMode.EMBED)) for node in nodes]
        vectors = known(hashes)
        for node, named in zip(nodes, hashes, strict=True):
            if named in vectors:
                node.embedding = vectors[named].tolist()
        missing = [node for node in nodes if node.embedding is None]
        IngestionPipeline(transformations=[PassedEmbedding(embedder)], disable_cache=True).run(nodes=missing)
        return len(missing)

    def retrieve(
        self,
        question: str,
        vector: Vector | None,
        mode: str,
        top_k: int,
        *,
        embedder: Embedder | None,
        view: str,
        metadata: filters.Filters | None,
        weight: float,
    ) -> list[Passage]:
        """Retriever: LlamaIndex's VectorIndexRetriever over the store, the question already embedded."""
        retriever = self.retriever(embedder, mode, top_k, view=view, metadata=metadata, weight=weight)
        bundle = QueryBundle(question, embedding=None if vector is None else vector.tolist())
        return [_passage(found.node, found.score or 0.0) for found in retriever.retrieve(bundle)]

    def retriever(
        self,
        embedder: Embedder | None,
        mode: str = "hybrid",
        top_k: int = 3,
        *,
        view: str = CURRENT,
        metadata: filters.Filters | None = None,
        weight: float = Settings.weight,
    ) -> VectorIndexRetriever:
        """A retriever for use with any other LlamaIndex part."""
        embedding = PassedEmbedding(embedder or _NoEmbedder())
        return VectorIndexRetriever(
            index=VectorStoreIndex.from_vector_store(self.store, embed_model=embedding),
            embed_model=embedding,
            similarity_top_k=top_k,
            vector_store_query_mode=_MODES[mode],
            alpha=weight,
            filters=_metadata_filters(metadata),
            vector_store_kwargs={"view": view},
        )


class _NoEmbedder:
    """Stands where words alone are searched; never asked."""

    dimensions = 0
    identity = "none"

    def embed(self, text: str) -> Vector:
        raise Problem("There is no embedder: the models are not fetched yet.")

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        return [self.embed(text) for text in texts]


def chunk(node: BaseNode) -> Chunk:
    """A node as a plain value. Nodes of foreign splitters have no place in the document: 0 to their length."""
    body, given = node.get_content(metadata_mode=MetadataMode.NONE), node.metadata
    title = str(given.get("title") or node.ref_doc_id or node.node_id)
    heading = str(given.get("heading", ""))
    tokens = given.get("tokens") or WordPiece(None).count(f"{context(title, heading)}\n{body}")
    return Chunk(
        title, heading, body, given.get("start", 0), given.get("stop", len(body)), tokens, str(given.get(_LEAD, ""))
    )


def _add(connection: sqlite3.Connection, version: int, nodes: Sequence[BaseNode]) -> list[str]:
    vectors = [None if node.embedding is None else np.asarray(node.embedding, np.float32) for node in nodes]
    return [str(made) for made in add_chunks(connection, version, [chunk(node) for node in nodes], vectors)]


def _own_version(connection: sqlite3.Connection, path: str, nodes: Sequence[BaseNode]) -> int:
    """A version made of foreign nodes, valid in the current view."""
    text = "\n\n".join(node.get_content(metadata_mode=MetadataMode.NONE) for node in nodes)
    metadata = {name: value for name, value in nodes[0].metadata.items() if isinstance(value, str | int | float)}
    return put_version(connection, path, text, sections.title(text, path), metadata, "LlamaIndex", (CURRENT,))


def _nodes(index: Index, hits: Sequence[Hit]) -> list[TextNode]:
    marks = ", ".join("?" * len(hits))
    rows = index.store.read(
        "SELECT c.*, d.path, v.metadata FROM chunks c JOIN versions v ON v.id = c.version "
        f"JOIN documents d ON d.id = v.document WHERE c.id IN ({marks})",
        [hit.chunk for hit in hits],
    )
    by_id = {row["id"]: row for row in rows}
    return [_node(by_id[hit.chunk], hit) for hit in hits if hit.chunk in by_id]


def _node(row: sqlite3.Row, hit: Hit) -> TextNode:
    place = {name: row[name] for name in ("title", "heading", "start", "stop", _LEAD)}
    own = {"document": row["path"], "similarity": hit.similarity, "bm25": hit.bm25, "tokens": row["tokens"]}
    return TextNode(
        id_=str(row["id"]),
        text=row["body"],
        metadata=json.loads(row["metadata"]) | place | own | {"context": context(row["title"], row["heading"])},
        metadata_template="{value}",
        text_template="{metadata_str}\n{content}",
    )


def _passage(node: BaseNode, score: float) -> Passage:
    given, body = node.metadata, node.get_content(metadata_mode=MetadataMode.NONE)
    return Passage(
        document=given["document"],
        title=given["title"],
        heading=given["heading"],
        text=words.shown(body, given["title"], given["context"], given[_LEAD]),
        score=score,
        start=given["start"],
        end=given["stop"],
        chunk=int(node.node_id),
        similarity=given["similarity"],
        bm25=given["bm25"],
    )


def _metadata_filters(given: filters.Filters | None) -> MetadataFilters | None:
    if not given:
        return None
    return MetadataFilters(filters=[MetadataFilter(key=key, value=value) for key, value in given.items()])


def _where(given: MetadataFilters | None) -> Where:
    if given is None:
        return Where()
    parts = [
        _where(part)
        if isinstance(part, MetadataFilters)
        else filters.condition(part.key, part.operator.value, part.value)
        for part in given.filters
    ]
    if given.condition == FilterCondition.NOT:
        inner = filters.either(parts)
        return Where(f"NOT ({inner.sql})", inner.params)
    return filters.either(parts) if given.condition == FilterCondition.OR else filters.every(parts)
