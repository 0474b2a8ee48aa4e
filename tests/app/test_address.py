"""The address that a timer goes back to: the one a whole page left, never one from before the page that runs now."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    """A page whose timer sees, whenever it is drawn, that what it waited for has ended; a button below it."""
    import streamlit as st

    from pages.draw import address

    with address.kept():
        if st.query_params.get("ended"):
            address.rerun()
        if st.button("Ask"):
            st.query_params["run"] = "1"


def timer_alone() -> None:
    """A page without `kept` around it, as when it is run by itself."""
    import streamlit as st

    from pages.draw import address

    if not st.session_state.get("again"):
        st.session_state["again"] = True
        st.query_params["job"] = "1"
        address.rerun()


def shown(app: AppTest) -> dict[str, str]:
    """The address: AppTest gives a list for what a test set and no run has touched."""
    return {name: value if isinstance(value, str) else value[-1] for name, value in app.query_params.items()}


def test_a_page_keeps_its_own_address_and_the_click_that_it_is_drawn_for() -> None:
    app = AppTest.from_function(page)
    app.query_params["document"] = "old.md"
    app.run()
    app.query_params["document"] = "new.md"
    app.query_params["ended"] = "1"
    app.button[0].click().run()
    assert not app.exception
    assert shown(app) == {"document": "new.md", "ended": "1", "run": "1"}


def test_where_no_address_is_known_it_stays_as_it_is() -> None:
    app = AppTest.from_function(timer_alone).run()
    assert not app.exception
    assert shown(app) == {"job": "1"}
