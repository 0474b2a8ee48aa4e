"""The decision record: one file without a network, escaped, small, one page and an appendix, as HTML and Markdown."""

import json
from datetime import date
from html.parser import HTMLParser

import pytest

from core import decide, record, record_files
from core import scenario as envelope
from core.__main__ import main
from core.calculator import inputs, kept, model, tables, verdict
from core.calculator.calibrate import Change

NASTY = "<img src=https://evil.example/x onerror=alert(1)> | **bold** [link](http://evil.example)"
ANSWERS = {"citations": "required", "style": "some", "knowledge-size": "medium"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RR_HOME", str(tmp_path))


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def scenario():
    changes = {"queries": 12000, "corpus_tokens": 700000, "price_in": 0.4, "price_out": 1.6, "people": 2}
    return inputs.defaults().replace({**changes, "budget_first_year": 40000}, {"queries": NASTY})


def decision(**more):
    said = {"title": NASTY, "owner": NASTY, "signer": "Ben", "brief": NASTY, "answers": ANSWERS, "link": "abc"}
    return record.Decision(made=date(2026, 11, 24), **{**said, **more})


def test_the_html_asks_nothing_of_a_network_is_small_and_escapes_what_others_wrote():
    text = record_files.html(scenario(), decision(other=(NASTY, inputs.defaults())))
    parser = Tags()
    parser.feed(text)
    assert not [tag for tag, attrs in parser.seen if tag in ("img", "script", "iframe", "link") or "onerror" in attrs]
    assert not [attrs for _, attrs in parser.seen if "src" in attrs or "href" in attrs]
    assert "url(" not in text and len(text.encode()) < 300_000
    for one in inputs.every().values():
        assert record_files.escape(one.label) in text


def test_the_page_for_who_signs_holds_recommendation_three_numbers_flips_risks_next_and_signatures():
    blocks = record.content(scenario(), decision())
    kinds = [block.kind for block in blocks]
    page = blocks[: kinds.index("break")]
    outcome = model.evaluate_cached(scenario())
    assert page[2].text == verdict.headline(scenario(), outcome)
    (numbers,) = [block for block in page if block.kind == "numbers"]
    assert [row["What"] for row in numbers.rows] == ["Cost, first year", "Answer within (p95)", "Right answers"]
    assert "at most 40,000" in numbers.rows[0]["Target"]
    titles = [block.text for block in page if block.kind == "heading"]
    assert titles == ["What would flip it", "Risks", "Measure next"] and page[-1].kind == "sign"
    risks = next(block for at, block in enumerate(page) if page[at - 1].text == "Risks")
    assert "2027-01-14" in risks.lines[0]  # 0.40 / 1.60 is the price of a model that retires within the horizon
    assert all(len(block.lines) <= record.RISKS for block in page)


def test_the_appendix_holds_brief_answers_measured_values_and_what_differs():
    change = Change("decode_ms", (10.0, 12.0), "measured here, 4 uncontended playground answers", "scales")
    other = inputs.defaults().replace({"queries": 99})
    text = record_files.markdown(scenario(), decision(brief="the brief", measured=[change], other=("plan B", other)))
    appendix = text.split("# Appendix")[1]
    for wanted in ("the brief", "Every answer must cite its source", "playground answers", "plan B", "99 queries"):
        assert wanted in appendix, wanted


def test_markdown_shows_what_others_wrote_letter_for_letter():
    text = record_files.markdown(scenario(), decision())
    assert "\\<img" in text and "\\[link\\](http" in text and "\n| " in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)


def test_where_no_input_is_worth_knowing_first_the_record_says_so_and_lists_the_advisors():
    sure = inputs.defaults().replace({name: ends[0] for name, ends in inputs.defaults().ranges.items()})
    outcome = model.evaluate_cached(sure)
    assert not outcome.worth
    first, *rest = record.measure_next(sure, outcome, ANSWERS)
    assert first.startswith("No single input") and rest
    assert all(line.startswith("The advisor's list (ours) for ") for line in rest)
    assert first in record_files.markdown(sure, decision()) and rest[0][:25] in record_files.markdown(sure, decision())
    known = model.evaluate_cached(inputs.from_preset("medical"))
    assert known.worth and "advisor" not in record.measure_next(inputs.from_preset("medical"), known, ANSWERS)[0]


def test_a_ruled_out_approach_is_shown_as_such_and_never_recommended():
    one = inputs.from_preset("classification")  # fine-tuning wins there
    assert model.evaluate_cached(one).recommended == "fine-tuning"
    barred, _ = decide.put(one, {"citations": "required"})
    outcome = model.evaluate_cached(barred)
    assert list(record.ruled_out(barred, outcome)) == ["fine-tuning"] and record.recommended(outcome) != "fine-tuning"
    text = record_files.html(barred, decision())
    assert "cannot name its sources" in text and "ruled out" in text
    freed, _ = decide.put(barred, {}, before={"citations": "required"})
    assert model.evaluate_cached(freed).recommended == "fine-tuning"


def test_nothing_that_fits_still_gives_a_record():
    tight = inputs.defaults().replace({"context_tokens": 16})
    assert "Nothing" in record_files.html(tight, decision()) or "No approach fits" in record_files.html(
        tight, decision()
    )


def test_the_command_reads_a_brief_writes_the_record_and_its_link_gives_the_same(tmp_path, capsys):
    brief = "12,000 questions a month, 700k tokens, every answer must cite its source, 2 engineers. Blue is nice."
    for name in ("decision.html", "decision.md"):
        argv = ["decide", "--json", "--text", brief, "--title", "Telecom", "--record", str(tmp_path / name)]
        assert main(argv) == 0
        first = json.loads(capsys.readouterr().out)
        assert "Telecom" in (tmp_path / name).read_text(encoding="utf-8")
    assert first["not_understood"] == ["Blue is nice"] and first["answers"]["citations"] == "required"
    assert main(["decide", "--json", "--link", first["link"]]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["headline"] == first["headline"] and again["answers"] == first["answers"]
    found, notes = envelope.decode(first["link"])
    assert notes == [] and found["decision"]["title"] == "Telecom"
    bad = [["--set", "queries"], ["--record", "x.pdf"], ["--brief", "/nowhere"], ["--other", "broken"]]
    for wrong in bad:
        assert main(["decide", *wrong]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_every_cost_in_the_table_names_its_currency_and_no_exponent() -> None:
    scenario = inputs.defaults().replace({"queries": 1e8, "draws": 1000, "currency": "CHF"})
    rows = [row for row in tables.summary(scenario, model.evaluate(scenario)) if "A query" in row]
    cells = [row[name] for row in rows for name in ("A month", "A query", "A right answer")]
    assert len(cells) == 9 and all(cell.endswith(" CHF") and "e-" not in cell for cell in cells)


def test_what_a_requirement_rules_out_is_not_said_to_be_too_long() -> None:
    cited = inputs.defaults().replace({"use_fine_tuning": "no", "draws": 1000})
    rows = {row[""]: row for row in kept.side_by_side({"free": inputs.defaults(), "cited": cited})}
    assert rows["fine-tuning"]["cited"] == "ruled out" and rows["prompt only"]["cited"] == "does not fit"
