"""The overview's measured tables: both pairs side by side, as the cards have them, in words that people read."""

import json

from core import overview, paths
from core.charts.overview import SHOWN, measured_chart


def card(pair):
    return json.loads((paths.ROOT / "models" / "cards" / overview.PAIRS[pair]).read_text(encoding="utf-8"))["results"]


def test_side_by_side_every_figure_of_both_cards_stands_once_in_its_pairs_column():
    rows = overview.side_by_side(overview.measured())
    assert len({(row["Questions"], row["Arm"]) for row in rows}) == len(rows)
    for pair in overview.PAIRS:
        shown = {(row["Questions"], row["Arm"]): row[f"{pair.capitalize()} pair"] for row in rows}
        for one in card(pair):
            cell = shown[one["class"], overview.arm_words(one["arm"])]
            assert cell.startswith(f"{one['accuracy']:.0%}") and cell.endswith(f"(n={one['n']})")
        assert sum(cell != "—" for cell in shown.values()) == len(card(pair))


def test_side_by_side_a_class_keeps_together_and_the_facts_come_first():
    classes = [row["Questions"] for row in overview.side_by_side(overview.measured())]
    assert list(dict.fromkeys(classes))[:2] == ["static", "changed"]
    assert classes == sorted(classes, key=classes.index)


def test_stated_elsewhere_every_figure_stands_once_with_both_pairs_and_its_source():
    found = overview.measured()
    rows, sources = overview.stated_elsewhere(found), overview.sources_elsewhere(found)
    assert len({row["What"] + row["Source states"] for row in rows}) == len(rows)
    for one in found:
        column = {row["What"]: row[f"{one.pair.capitalize()} pair"] for row in rows}
        assert sum(cell != "—" for cell in column.values()) == len(one.beside)
        for held in one.beside:
            cell = next(cell for what, cell in column.items() if what.lower() == f"{held.label} ({held.arm})".lower())
            assert cell.startswith(f"{held.share:.0%} (") and cell.endswith(f"n={held.n}): {held.agreement}")
            assert held.source in sources
    ids = {line.partition(":")[0] for line in sources}
    assert {row["Source states"].rpartition(" [")[2].rstrip("]") for row in rows} == ids


def test_an_arm_is_named_as_on_the_other_pages():
    assert overview.arm_words("fine-tuned+perfect") == "fine-tuned + right passages"
    assert overview.arm_words("base") == "base"


def test_the_chart_shows_what_the_cards_have_with_their_intervals():
    figure = measured_chart(overview.measured())
    drawn = [
        (trace.name, x, x - minus, x + plus)
        for trace in figure.data
        for x, minus, plus in zip(trace.x, trace.error_x.arrayminus, trace.error_x.array, strict=True)
    ]
    wanted = [
        (f"{pair.capitalize()} pair", one["accuracy"], one["low"], one["high"])
        for pair in overview.PAIRS
        for cls in SHOWN
        for one in card(pair)
        if one["class"] == cls
    ]
    assert [name for name, *_ in drawn] == [name for name, *_ in wanted]
    assert all(
        abs(a - b) < 1e-9
        for row, also in zip(drawn, wanted, strict=True)
        for a, b in zip(row[1:], also[1:], strict=True)
    )
