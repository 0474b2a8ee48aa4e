"""axe-core over a page as it stands in the browser: what it finds, said in lines; light and dark."""

from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# What is Streamlit's own and cannot be mended from here: rule -> within which part of the page.
STREAMLITS: Final = {
    # The navigation's <ul> holds a <div> for each section, and the items in these.
    "list": '[data-testid="stSidebarNavItems"]',
    "listitem": '[data-testid="stSidebarNavItems"]',
    # The drop zone of st.file_uploader has role="presentation" and a label at once. Its button is named and reached.
    "presentation-role-conflict": '[data-testid="stFileUploaderDropzone"]',
}
RULES: Final = {"resultTypes": ["violations"]}
ONLY_COLOURS: Final = RULES | {"runOnly": ["color-contrast"]}  # the rest is the same in both schemes
THEMED_MS = 300  # Streamlit follows the scheme in a frame or two


def faults(page: Page, *, dark: bool = True) -> list[str]:
    """Every fault axe-core sees: all rules in light, then the colours in dark. The page is light again afterwards."""
    found = [f"light: {line}" for line in _run(page, RULES)]
    if dark:
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(THEMED_MS)
        found += [f"dark: {line}" for line in _run(page, ONLY_COLOURS)]
        page.emulate_media(color_scheme="light")
        page.wait_for_timeout(THEMED_MS)
    return found


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
