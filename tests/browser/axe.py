"""axe-core over a page as it stands in the browser: what it finds, said in lines; light and dark."""

from typing import Any, Final, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# What is Streamlit's own and cannot be mended from here: rule -> within which part of the page.
STREAMLITS: Final = {
    # The navigation's <ul> holds a <div> for each section, and the items in these.
    "list": '[data-testid="stSidebarNavItems"]',
    "listitem": '[data-testid="stSidebarNavItems"]',
    # The drop zone of st.file_uploader has role="presentation" and a label at once. Its button is named and reached.
    "presentation-role-conflict": '[data-testid="stFileUploaderDropzone"]',
    # st.toast is an alert named by an empty element; its text is read out all the same.
    "aria-dialog-name": ".stToast",
}
RULES: Final = {"resultTypes": ["violations"]}
ONLY_COLOURS: Final = RULES | {"runOnly": ["color-contrast"]}  # the rest is the same in both schemes
# What Streamlit fades for the moment in which it draws it anew is looked at as it will be.
DRAWN: Final = '[data-stale="true"], [data-stale="true"] * { opacity: 1 !important; transition: none !important; }'
# Streamlit has followed the scheme, and no colour is on its way any more (a hidden element keeps its finished ones).
THEMED: Final = """(scheme) => getComputedStyle(document.querySelector('[data-testid="stApp"]')).colorScheme === scheme
  && !document.getAnimations().some((one) => one instanceof CSSTransition && one.playState === 'running')"""


def faults(page: Page, *, dark: bool = True) -> list[str]:
    """Every fault axe-core sees: all rules in light, then the colours in dark. The page is light again afterwards."""
    page.add_style_tag(content=DRAWN)
    found = [f"light: {line}" for line in _run(page, RULES)]
    if dark:
        turn(page, "dark")
        found += [f"dark: {line}" for line in _run(page, ONLY_COLOURS)]
        turn(page, "light")
    return found


def turn(page: Page, scheme: Literal["light", "dark"]) -> None:
    """The page in another scheme, once it is drawn so."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(THEMED, arg=scheme)


def _run(page: Page, rules: dict[str, Any]) -> list[str]:
    found = Axe().run(page, options=rules).response["violations"]
    return [_said(one["id"], node) for one in found for node in one["nodes"] if not _streamlits(page, one["id"], node)]


def _streamlits(page: Page, rule: str, node: dict[str, Any]) -> bool:
    if rule not in STREAMLITS:
        return False
    within: bool = page.locator(node["target"][0]).first.evaluate(
        "(one, part) => !!one.closest(part)", STREAMLITS[rule]
    )
    return within


def _said(rule: str, node: dict[str, Any]) -> str:
    why = [one["message"] for one in node["any"] + node["all"] + node["none"]]
    return f"{rule} at {node['target']}: {' / '.join(why)[:300]} in {node['html'][:200]}"
