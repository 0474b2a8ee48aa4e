"""Text stands out from every background by at least 4.5 to 1, in light and dark, as the theme's own figures say."""

import tomllib
from pathlib import Path

import pytest

THEME = tomllib.loads((Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
LEAST = 4.5
CAPTION = 0.6  # of the text's colour is what Streamlit gives a caption


def rgb(color: str) -> tuple[float, ...]:
    return tuple(int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))


def luminance(color: tuple[float, ...]) -> float:
    """As WCAG 2 defines it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def over(color: tuple[float, ...], ground: tuple[float, ...], share: float) -> tuple[float, ...]:
    return tuple(share * part + (1 - share) * below for part, below in zip(color, ground, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_captions_and_coloured_words_can_be_read_on_both_backgrounds(scheme: str) -> None:
    look = THEME[scheme]
    for name in ("backgroundColor", "secondaryBackgroundColor"):
        ground = rgb(look[name])
        assert contrast(over(rgb(look["textColor"]), ground, CAPTION), ground) >= LEAST, name
        assert contrast(rgb(look["primaryColor"]), ground) >= LEAST, name
        for word in (one for one in look if one.endswith("TextColor")):
            assert contrast(rgb(look[word]), ground) >= LEAST, (word, name)


@pytest.mark.parametrize(("scheme", "text"), [("light", "#FFFFFF"), ("dark", THEME["dark"]["backgroundColor"])])
def test_what_stands_on_the_filled_buttons_can_be_read(scheme: str, text: str) -> None:
    assert contrast(rgb(text), rgb(THEME[scheme]["primaryColor"])) >= LEAST
    style = (Path(__file__).resolve().parents[2] / "pages" / "draw" / "look.py").read_text()
    assert text in style or f"theme.{scheme}.backgroundColor" in style
