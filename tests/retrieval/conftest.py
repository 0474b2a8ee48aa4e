"""A knowledge base over a temporary file, with the deterministic embedder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.retrieval import KnowledgeBase
from core.retrieval.schema import MIGRATIONS
from core.retrieval.values import Place
from core.store import Store
from tests.retrieval.chroma_run import running
from tests.retrieval.fake import HashEmbedder

RETURNS = """# Returns

Send goods back in their box.

## Time limits

Grinders may be returned within 60 days. Scales may be returned within 10 days.

## Refunds

Money arrives within five working days.
"""
WARRANTY = "# Warranty\n\nThe pump of the Harbor Duo (part HD-2041/B) is covered for 8 years.\n"
SHIPPING = "# Shipping\n\nParcels to Norway cost $19 and take 6 days.\n"


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "base.sqlite3", MIGRATIONS)
    yield made
    made.close()


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Chroma server."""
    with running(tmp_path_factory.mktemp("chroma")) as server:
        yield server.url


@pytest.fixture(params=["here", pytest.param("chroma", marks=pytest.mark.chroma)])
def base(request: pytest.FixtureRequest, store: Store, embedder: HashEmbedder) -> KnowledgeBase:
    """Three small documents; their vectors in the base's own file, or at a real Chroma server."""
    made = KnowledgeBase(store, embedder)
    if request.param == "chroma":
        made.move(Place(request.getfixturevalue("chroma_url")))
    for path, text in (("policies/returns.md", RETURNS), ("policies/warranty.md", WARRANTY), ("shipping.md", SHIPPING)):
        made.add(path, text)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same three documents as files."""
    root = tmp_path / "documents"
    (root / "policies").mkdir(parents=True)
    (root / "policies" / "returns.md").write_text(RETURNS)
    (root / "policies" / "warranty.md").write_text(WARRANTY)
    (root / "shipping.md").write_text(SHIPPING)
    return root
