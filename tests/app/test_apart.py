"""A part of a page that runs apart from it stands alone in a container, so that it can be written over nothing else."""

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block


def page() -> None:
    import streamlit as st

    from pages.draw.apart import apart

    @apart(every=60.0)
    def part(said: str) -> None:
        st.text(said)

    st.text("before")
    part("the part")
    st.text("after")


def test_what_stands_beside_a_part_is_only_its_container() -> None:
    app = AppTest.from_function(page).run()
    assert not app.exception
    before, container, after = app.main.children.values()
    assert not isinstance(before, Block) and not isinstance(after, Block)
    assert isinstance(container, Block)
    (part,) = container.children.values()
    assert isinstance(part, Block)  # the fragment's own
    assert [child.value for child in part.children.values()] == ["the part"]
