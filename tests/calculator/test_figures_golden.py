"""The figures of the five documents, transcribed a second time by hand, each with its place."""

import re
import tomllib

import pytest

from core import paths
from core.calculator import cares, inputs
from core.errors import Problem
from core.evidence import figures, prices

# (id, low, high, open_high, approximate, unit, source, place)
NUMBERS = [
    ("D2.training-cost", 100, 10000, True, False, "USD", "D2", "Fine-Tuning Costs"),
    ("D2.query-premium.fine-tuning", 0, 0, False, False, "USD per query", "D2", "Fine-Tuning Costs"),
    ("D2.setup-cost.retrieval", 0, 500, False, False, "USD", "D2", "RAG Costs"),
    ("D2.embedding-price", 0.0001, 0.0001, False, False, "USD per 1,000 tokens", "D2", "RAG Costs"),
    ("D2.query-cost.retrieval", 0.001, 0.01, False, True, "USD per query", "D2", "RAG Costs"),
    ("D2.latency.fine-tuning", 200, 500, False, False, "ms", "D2", "Performance Comparison"),
    ("D2.latency.retrieval", 500, 1500, False, False, "ms", "D2", "Performance Comparison"),
    ("D2.accuracy-static.fine-tuning", 90, 95, False, False, "%", "D2", "Performance Comparison"),
    ("D2.accuracy-static.retrieval", 85, 92, False, False, "%", "D2", "Performance Comparison"),
    ("D2.accuracy-dynamic.fine-tuning", 60, 70, False, False, "%", "D2", "Performance Comparison"),
    ("D2.accuracy-dynamic.retrieval", 90, 95, False, False, "%", "D2", "Performance Comparison"),
    ("D2.retrieval-overhead", 200, 500, False, False, "ms", "D2", "Common Mistakes"),
    ("D2.experience", 20, 20, True, False, "applications", "D2", "Best Practices"),
    ("D2.example.rows", 2, 2, False, False, "rows", "D2", "Fine-Tuning Example"),
    ("D2.example.epochs", 3, 3, False, False, "epochs", "D2", "Fine-Tuning Example"),
    ("D2.example.batch", 4, 4, False, False, "rows", "D2", "Fine-Tuning Example"),
    ("D2.example.learning-rate", 0.00005, 0.00005, False, False, "1", "D2", "Fine-Tuning Example"),
    ("D2.example.max-length", 200, 200, False, False, "tokens", "D2", "Hybrid Approach"),
    ("D3.labelled-rows", 10000, 1000000, False, False, "rows", "D3", "Fine-Tuning Problems"),
    ("D3.training-cost.retrieval", 0, 0, False, False, "USD", "D3", "Head to Head"),
    ("P3.gain.fine-tuning", 6, 6, True, False, "percentage points", "P3", "abstract"),
    ("P3.gain.retrieval", 5, 5, False, False, "percentage points", "P3", "abstract"),
]

RATINGS = {
    "D2.setup-time.fine-tuning": "days to weeks",
    "D2.setup-time.retrieval": "hours to days",
    "D2.update-time.fine-tuning": "days to weeks",
    "D2.update-time.retrieval": "minutes to hours",
    "D3.update-time.retrieval": "instant",
    "D4.update.retrieval": "yes: looked up in real time",
    "D0.niche-accuracy.fine-tuning": "high",
    "D0.niche-accuracy.retrieval": "medium",
    "D0.explainability.fine-tuning": "low",
    "D0.explainability.retrieval": "high",
    "D0.resources.retrieval": "low to medium (CPU OK)",
    "D4.adaptation.retrieval": "good",
    "D4.adaptation.fine-tuning": "very good",
    "D4.cost.retrieval": "lower",
    "D4.cost.fine-tuning": "higher",
    "D0.example.medical.retrieval": "not readable",
    "D0.example.medical.fine-tuning": "a warning sign",
}

PUBLISHED = {
    "P1.current-events": """
        mistral-7b .481 .875 .504 .588 .810 .830
        llama2-7b .353 .585 .219 .392 .326 .520
        orca2-7b .456 .876 .511 .566 .820 .826""",
    "P1.mmlu": """
        prehistory .722 .762 .725 .762
        chemistry .470 .540 .500 .500""",
    "P2.raft": """
        gpt-3.5-rag 71.60 41.5 29.08 60.21 65.59
        llama2-7b 56.5 0.54 0.22 0 0
        llama2-7b-rag 58.8 0.03 26.43 8.60 43.06
        domain-fine-tune 59.7 6.38 61.06 84.94 86.56
        domain-fine-tune-rag 71.6 4.41 42.59 82.80 60.29
        raft 73.30 35.28 74.00 84.95 86.86""",
}


@pytest.mark.parametrize(("name", "low", "high", "open_high", "approximate", "unit", "source", "place"), NUMBERS)
def test_a_document_figure_is_as_the_document_states_it(name, low, high, open_high, approximate, unit, source, place):
    one = figures.get(name)
    assert one.range == (low, high)
    assert (one.open_high, one.approximate, one.unit, one.source) == (open_high, approximate, unit, source)
    assert place in one.place


@pytest.mark.parametrize(("name", "text"), RATINGS.items())
def test_a_rating_in_words_is_as_the_document_states_it(name, text):
    assert figures.get(name).text == text


@pytest.mark.parametrize("table", PUBLISHED)
def test_published_tables_are_complete_and_exact(table):
    found = [one for name, one in figures.load().items() if name.startswith(table + ".")]
    rows = [line.split() for line in PUBLISHED[table].split("\n") if line.strip()]
    expected = [(f"{table}.{row[0]}", float(cell)) for row in rows for cell in row[1:]]
    assert [(one.id.rpartition(".")[0], one.value) for one in found] == expected
    assert all(one.evidence == "published" and one.source in ("P1", "P2") for one in found)


def test_every_figure_has_source_place_date_and_evidence():
    for one in figures.load().values():
        assert one.source in figures.sources() and one.place and one.date, one.id
        assert one.evidence in figures.EVIDENCE, one.id
        assert sum(part is not None for part in (one.value, one.low, one.text)) == 1, one.id
        assert one.low is None or (one.high is not None and one.low < one.high), one.id


def test_sources_survive_loading():
    raw = tomllib.loads((paths.ROOT / "core/evidence/figures.toml").read_text(encoding="utf-8"))
    stated = {entry["id"]: group["source"] for group in raw["group"] for entry in group["figures"]}
    assert {name: figures.get(name).source for name in stated} == stated
    assert len(stated) > 90


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("approximate = true", "aproximate = true", "Did you mean 'approximate'"),
        ('evidence = "published"', 'evidence = "publishd"', "must be one of"),
        ("author = ", "autor = ", "sources.*unknown key 'autor'"),
        ('source = "D2"', 'source = "D99"', "the source 'D99', which is not among the sources"),
        ("0.481, ", "", "table 'P1.current-events': a row is a name and 6 numbers"),
        ("0.481, ", '"0.481", ', "table 'P1.current-events': a row is a name and 6 numbers"),
        ("low = ", "value = 1, low = ", "needs a value, or low and high, or a text"),
    ],
)
def test_a_slip_in_the_figures_is_a_problem_naming_the_place(tmp_path, monkeypatch, old, new, message):
    text = figures.FILE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "figures.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(figures, "FILE", tmp_path / "figures.toml")
    for cached in (figures._file, figures.sources, figures.load):
        monkeypatch.setattr(figures, cached.__name__, cached.__wrapped__)
    with pytest.raises(Problem, match=rf"^figures\.toml.*{message}"):
        figures.load()


def test_what_is_unknown_of_a_document_stays_not_stated():
    assert figures.sources()["D2"].author == "not stated" and figures.sources()["D2"].date == "not stated"
    assert figures.sources()["D0"].date == "2025-04-22" and figures.sources()["D1"].date == "2024-11-12"


def test_no_document_gives_a_figure_for_prompt_only_or_hybrid_but_example_code():
    documents = [one for one in figures.load().values() if one.source.startswith("D")]
    assert [one.id for one in documents if one.approach in ("prompt", "hybrid")] == ["D2.example.max-length"]


def test_every_input_has_a_source_that_exists():
    for one in inputs.every().values():
        known = one.source in figures.load() or one.source.startswith("ours") or one.source == "example: prices.toml"
        named = one.source.removeprefix("example: prices.toml, ")
        assert known or named in prices.shipped(), one.name
        assert one.help, one.name


def test_a_default_taken_from_a_figure_has_the_figures_value():
    scale = {"embedding_price": 1000}  # per 1,000 tokens there, per million here
    free = {"tuned_hosting", "training_from", "training_method", "speed_from", "tuned_system_tokens"}
    checked = 0
    for one in inputs.every().values():
        if one.source in figures.load() and one.name not in free:
            low, high = figures.get(one.source).range
            assert one.default == pytest.approx((low * scale.get(one.name, 1), high * scale.get(one.name, 1))), one.name
            checked += 1
    assert checked > 15


def test_every_care_shows_figures_that_exist():
    assert {care.view for care in cares.every()} == {"cost", "latency", "accuracy", "time", "drivers"}
    assert all(row["Source"] and row["Evidence"] for care in cares.every() for row in care.rows())


def test_an_unknown_figure_and_a_rating_used_as_number_are_named():
    with pytest.raises(Problem, match="no-such-figure"):
        figures.get("no-such-figure")
    with pytest.raises(Problem, match="rating in words"):
        _ = figures.get("D2.setup-time.retrieval").range


def test_measured_accuracies_are_read_with_error_origin_and_date(tmp_path):
    file = tmp_path / "measured.json"
    file.write_text(
        '{"origin": "GGUF Q8_0", "date": "2026-11-21", "command": "x", "results": [{"arm": "base", "class": "static",'
        ' "accuracy": 0.25, "standard_error": 0.03, "n": 100}]}'
    )
    (one,) = figures.measured(file)
    assert (one.value, one.standard_error, one.place, one.date) == (0.25, 0.03, "GGUF Q8_0", "2026-11-21")
    file.write_text('{"results": 3}')
    with pytest.raises(Problem, match=r"measured\.json"):
        figures.measured(file)


NAMES_WITH_DIGITS = re.compile(r"\b([DP]\d|H100|GPT-3\.5|\d+B|16 bit|E1|P1's)\b")


def test_no_text_of_the_calculator_repeats_a_figure():
    for file in ("cares.toml", "inputs.toml"):
        raw = tomllib.loads((paths.ROOT / "core/calculator" / file).read_text(encoding="utf-8"))
        entries = raw.get("care") or [one for group in raw["group"] for one in group["inputs"]]
        for entry in entries:
            for key in ("title", "text") if "care" in raw else ("source",):
                rest = NAMES_WITH_DIGITS.sub("", figures.PLACEHOLDER.sub("", entry[key]))
                if "D0" in entry[key] or "D2" in entry[key] or "D3" in entry[key] or "care" in raw:
                    assert not re.search(r"\d", rest), (file, rest)


def test_a_text_takes_its_numbers_from_the_figures():
    assert figures.fill("D2: {D2.training-cost}; {D2.training-cost|high}; {P6.lora-share|percent}.") == (
        "D2: 100 to 10,000+ USD; 10,000; 67 %."
    )
    for text in ("{no.such-figure}", "{D2.setup-time.retrieval|number}"):
        with pytest.raises(Problem):
            figures.fill(text)
    assert figures.fill("a {b c} {}") == "a {b c} {}"


def test_our_derived_figures_follow_from_the_published_ones():
    def value(name):
        return figures.get(name).value

    slope, base = value("E1.output-slope"), value("E1.output-base")
    assert figures.get("ours.energy-out").range[1] == pytest.approx(1000 * (slope * 8 + base), rel=1e-3)
    joules = 2 * 8e9 / (989e12 * 0.55) * 700  # an input token: 2 N operations at 55 % of the peak and 700 W
    assert figures.get("ours.energy-in").range == pytest.approx((joules / 3.6, joules / 0.36), rel=0.05)
    assert figures.get("ours.grid").range == (value("E3.france"), value("E3.china"))
    assert value("ours.dedicated-query-few") == value("ours.dedicated-hour") * 730 / 10_000
    assert value("ours.dedicated-query-many") == value("ours.dedicated-hour") * 730 / 1_000_000
    assert value("ours.decode-300") == pytest.approx(0.3 * value("ours.decode-floor"), rel=0.03)
    assert value("ours.scale-compute") == pytest.approx(
        value("ours.larger-params") / value("ours.bundled-params"), rel=0.02
    )
    models = ("mistral-7b", "llama2-7b", "orca2-7b")
    losses = [
        100 * (value(f"P1.current-events.{name}.base-rag") - value(f"P1.current-events.{name}.ft-rag"))
        for name in models
    ]
    assert figures.get("ours.hybrid-loss").range == pytest.approx((min(losses), max(losses)))
    alone = [100 * value(f"P1.current-events.{name}.base") for name in models]
    assert figures.get("ours.closed-book").range == pytest.approx((min(alone), max(alone)), abs=0.5)
