"""The knowledge base as LlamaIndex parts: any LlamaIndex program can use store and retriever."""

import pytest

from core.errors import Problem
from core.retrieval import KnowledgeBase
from core.retrieval.index import Index
from core.store import Store


@pytest.fixture
def vector_store(store: Store):
    from core.retrieval.llama import SqliteVectorStore

    return SqliteVectorStore(Index(store))


def _nodes(embedder, count: int):
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

    made = []
    for number in range(count):
        node = TextNode(text=f"Teapot number {number} is {('red', 'blue')[number % 2]}.", metadata={"number": number})
        node.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=f"doc-{number}")
        node.embedding = embedder.embed(node.text).tolist()
        made.append(node)
    return made


def test_foreign_nodes_are_added_queried_and_deleted_by_document(vector_store, embedder) -> None:
    from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

    ids = vector_store.add(_nodes(embedder, 20))
    assert len(set(ids)) == 20
    wanted = embedder.embed("Teapot number 7 is blue.").tolist()
    for mode in (VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.SPARSE, VectorStoreQueryMode.HYBRID):
        query = VectorStoreQuery(query_embedding=wanted, query_str="teapot number 7", similarity_top_k=3, mode=mode)
        found = vector_store.query(query)
        assert found.nodes[0].text == "Teapot number 7 is blue."
        assert found.similarities == sorted(found.similarities, reverse=True)
    vector_store.delete("doc-7")
    assert "number 7 " not in "".join(node.text for node in vector_store.query(query).nodes)


def test_metadata_filters_compare_and_combine(vector_store, embedder) -> None:
    from llama_index.core.vector_stores.types import (
        FilterCondition,
        FilterOperator,
        MetadataFilter,
        MetadataFilters,
        VectorStoreQuery,
    )

    vector_store.add(_nodes(embedder, 10))

    def numbers(*parts, condition=FilterCondition.AND) -> set[int]:
        filters = MetadataFilters(filters=list(parts), condition=condition)
        query = VectorStoreQuery(
            query_embedding=embedder.embed("teapot").tolist(), similarity_top_k=50, filters=filters
        )
        return {node.metadata["number"] for node in vector_store.query(query).nodes}

    low = MetadataFilter(key="number", value=3, operator=FilterOperator.LT)
    high = MetadataFilter(key="number", value=8, operator=FilterOperator.GTE)
    some = MetadataFilter(key="number", value=[1, 9, 77], operator=FilterOperator.IN)
    assert numbers(low) == {0, 1, 2}
    assert numbers(low, high, condition=FilterCondition.OR) == {0, 1, 2, 8, 9}
    assert numbers(low, some) == {1}
    assert numbers(low, high, condition=FilterCondition.NOT) == set(range(3, 8))
    with pytest.raises(Problem, match="not supported"):
        numbers(MetadataFilter(key="number", value="x", operator=FilterOperator.TEXT_MATCH))


def test_the_retriever_embeds_the_question_with_the_given_embedder_only(base: KnowledgeBase, embedder) -> None:
    retriever = base._tools.pipeline.retriever(embedder, "hybrid", 2)
    found = retriever.retrieve("parcels to Norway")
    assert found[0].node.metadata["document"] == "shipping.md"
    assert embedder.calls[-1] == "parcels to Norway"


def test_nothing_global_is_set(base: KnowledgeBase) -> None:
    from llama_index.core import Settings

    base.query("parcels to Norway")
    assert Settings._embed_model is None
    assert Settings._llm is None
