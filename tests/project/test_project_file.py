"""The file that takes a project along: the same on the other side, and from a hostile hand refused in one line."""

import io
import json
import stat
import struct
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import evaluate, paths, runtime
from core.errors import Problem
from core.project import Model, Project, bundled, whole
from core.project.zipped import ENDING, MOST_MEMBERS
from core.runtime import Runtime
from tests.project.made import DOCUMENTS, everything, fill, seen

BUNDLED = next(iter(bundled.all_bundled().values()))
Parts = dict[str, bytes]


@pytest.fixture
def here() -> Iterator[Runtime]:
    yield runtime.get()
    runtime.close()


def exported(here: Runtime, project: Project, **options: bool) -> io.BytesIO:
    out = io.BytesIO()
    whole.export(here, project, out, **options)
    out.seek(0)
    return out


def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Runtime:
    """The runtime of another machine: an empty state folder."""
    runtime.close()
    folder.mkdir()
    monkeypatch.setenv("RR_HOME", str(folder))
    return runtime.get()


def test_export_and_import_give_the_same_project(
    here: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fill(here)
    was, data = seen(here, made), exported(here, made)
    runs, jobs = [run.id for run in here.stored_runs.latest(made.id)], [job.id for job in evaluate.jobs(here, made)]
    there = elsewhere(monkeypatch, tmp_path / "there")
    taken, notes = whole.take_in(there, data)
    assert (taken.id, taken.title) == (made.id, made.title)
    assert seen(there, taken) == was
    assert [run.id for run in there.stored_runs.latest(taken.id)] == runs
    assert [job.id for job in evaluate.jobs(there, taken)] == jobs
    assert notes == []
    knowledge = there.knowledge(taken)
    knowledge.catch_up()
    assert [passage.document for passage in knowledge.query("zeppelin", mode="sparse").passages] == ["setup.md"]
    assert [document.path for document in knowledge.documents("deleted")] == ["notes.txt"]
    assert knowledge.restore("notes.txt").kind == "restored"


def test_an_import_beside_the_original_is_another_project(here: Runtime) -> None:
    made = fill(here)
    was, data = seen(here, made), exported(here, made)
    first, second = (whole.take_in(here, data)[0] for _ in range(2))
    assert len({made.id, first.id, second.id}) == 3
    assert seen(here, first) == seen(here, second) == seen(here, made) == was
    assert [project.title for project in here.projects.all()].count(made.title) == 3
    here.knowledge(first).delete("setup.md")
    assert seen(here, made) == seen(here, second) == was


def test_results_can_be_left_out_and_a_title_given(here: Runtime) -> None:
    made = fill(here)
    taken, _ = whole.take_in(here, exported(here, made, results=False), "Another title")
    assert (taken.title, taken.id) == ("Another title", "another-title")
    assert seen(here, taken) == seen(here, made) | {"runs": [], "evaluations": []}


def test_the_bundled_project_can_be_taken_along(here: Runtime) -> None:
    taken, notes = whole.take_in(here, exported(here, BUNDLED))
    copy = whole.duplicate(here, BUNDLED)
    assert not taken.bundled and taken.id != BUNDLED.id and notes == []
    assert seen(here, taken) | {"documents": 0} == seen(here, copy) | {"documents": 0}
    texts = [{(one.view, one.path, one.text) for one in seen(here, project)["documents"]} for project in (taken, copy)]
    assert texts[0] == texts[1] and len(texts[0]) > 100


def test_the_file_is_one_that_people_can_read(here: Runtime) -> None:
    with zipfile.ZipFile(exported(here, fill(here))) as packed:
        assert packed.testzip() is None
        names = packed.namelist()
        assert packed.read("documents/current/setup.md").decode() == DOCUMENTS["setup.md"]
        assert tomllib.loads(packed.read("project.toml").decode())["title"].startswith("Käse")
        assert [json.loads(line)["question"] for line in packed.read("questions/1.jsonl").splitlines()]
    assert not [name for name in names if name.endswith((".gguf", ".sqlite3"))]


def test_weights_are_named_by_hash_and_no_place_of_this_machine_goes_along(
    here: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "secret-folder" / "mine.gguf"
    weights.parent.mkdir()
    weights.write_bytes(b"GGUF and more")
    models = (
        Model("own", "Own", str(weights), adapter=str(weights.with_name("lora.gguf"))),
        Model("far", "Far", "gpt", endpoint="http://127.0.0.1:1", key_variable="SECRET_API_KEY"),
    )
    made = here.projects.create("A", Project("a", "A", models=models))
    data = exported(here, made)
    assert b"secret-folder" not in b"".join(
        zipfile.ZipFile(data).read(name) for name in ("project.toml", "archive.toml")
    )
    told = tomllib.loads(zipfile.ZipFile(data).read("archive.toml").decode())["models"][0]
    assert told["file"] == "mine" and len(told["sha256"]) == 64
    there = elsewhere(monkeypatch, tmp_path / "there")
    taken, notes = whole.take_in(there, data)
    own, far = taken.models
    assert own.file == "mine" and Path(own.adapter or "").parent == paths.weights_dir()
    assert far.key_variable is None
    assert len(notes) == 3 and told["sha256"] in notes[0] and "lora.gguf" in notes[1] and "server" in notes[2]


# -- hostile files -----------------------------------------------------------------------------------------------------


def packed(parts: Parts, change: Callable[[zipfile.ZipFile], None] = lambda _zip: None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
        change(made)
    return out.getvalue()


def with_part(name: str, data: bytes | str) -> Callable[[Parts], bytes]:
    return lambda parts: packed({**parts, name: data if isinstance(data, bytes) else data.encode()})


def without(name: str) -> Callable[[Parts], bytes]:
    return lambda parts: packed({key: data for key, data in parts.items() if key != name})


def replaced(name: str, old: str, new: str) -> Callable[[Parts], bytes]:
    def make(parts: Parts) -> bytes:
        text = parts[name].decode()
        assert old in text
        return packed({**parts, name: text.replace(old, new, 1).encode()})

    return make


def added(name: str, line: str) -> Callable[[Parts], bytes]:
    """`line` before what the member holds."""
    return lambda parts: packed({**parts, name: line.encode() + b"\n" + parts[name]})


def twice(name: str) -> Callable[[Parts], bytes]:
    def again(made: zipfile.ZipFile) -> None:
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr(name, b"other")

    return lambda parts: packed(parts, again)


def special(mode: int) -> Callable[[Parts], bytes]:
    info = zipfile.ZipInfo("documents/current/link.md")
    info.external_attr = (mode | 0o777) << 16
    return lambda parts: packed(parts, lambda made: made.writestr(info, "/etc/passwd"))


def squeezed(method: int) -> Callable[[Parts], bytes]:
    return lambda parts: packed(parts, lambda made: made.writestr("documents/current/b.md", b"text", method))


def claims(name: str, size: int) -> Callable[[Parts], bytes]:
    """The member's size in the zip's list made another one."""

    def make(parts: Parts) -> bytes:
        data = bytearray(packed(parts))
        at = data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode()))
        data[at + 24 : at + 28] = struct.pack("<I", size)
        return bytes(data)

    return make


def bomb(parts: Parts) -> bytes:
    """100 MB of zeros, honest about their size, five times and a bit: 0.5 MB of file."""
    zeros = b"0" * 100_000_000
    return packed({**parts, **{f"documents/current/{n}.md": zeros for n in range(6)}})


def flag(bits: int) -> Callable[[Parts], bytes]:
    def make(parts: Parts) -> bytes:
        data = bytearray(packed(parts))
        at = data.index(b"PK\x01\x02")
        data[at + 8] |= bits
        return bytes(data)

    return make


def listed(count: int, size: int) -> Callable[[Parts], bytes]:
    def make(parts: Parts) -> bytes:
        data = bytearray(packed(parts))
        data[-12:-10], data[-10:-6] = struct.pack("<H", count), struct.pack("<I", size)
        return bytes(data)

    return make


def damaged(parts: Parts) -> bytes:
    data = bytearray(packed(parts))
    at = data.index(b"documents/current/setup.md") + 30
    data[at : at + 8] = bytes(byte ^ 0xFF for byte in data[at : at + 8])
    return bytes(data)


def many(parts: Parts) -> bytes:
    return packed({**parts, **{f"d/{n}": b"" for n in range(MOST_MEMBERS + 1)}})


def nested(parts: Parts) -> bytes:
    return with_part("project.toml", b'id="a"\ntitle="a"\nscenario=' + b"[" * 100_000 + b"]" * 100_000)(parts)


def gzipped(parts: Parts) -> bytes:
    return zlib.compress(packed(parts))


RUN = (
    '{"version":2,"id":"%s","made":"2026-01-01","question":"q","settings":{"arms":[],"way":"together"},'
    '"finished":true,"arms":[]}'
)
DOC = '{"view":"%s","path":"%s","metadata":%s,"origin":"added","made":"2026-01-01"}'
EVALUATION = "evaluations/0123456789ab.jsonl"
HOSTILE: dict[str, tuple[Callable[[Parts], bytes], str]] = {
    "empty": (lambda _: b"", "no project file"),
    "text": (lambda _: b"hello " * 100, "no project file"),
    "not-a-zip": (gzipped, "no project file"),
    "cut": (lambda parts: packed(parts)[:-200], "no project file"),
    "another-zip": (lambda _: packed({"readme.txt": b"hi"}), "no 'archive.toml'"),
    "bomb": (bomb, "unpacks to"),
    "claims-1-gb": (claims("project.toml", 1_000_000_000), "unpacks to"),
    "claims-4-gb": (claims("documents.jsonl", 0xFFFFFFF0), "unpacks to"),
    "claims-less": (claims("project.toml", 10), "damaged"),
    "document-of-9-mb": (
        lambda p: packed({**p, "documents/current/setup.md": b"x" * 9_000_000}),
        "at most 8 MB",
    ),
    "toml-of-3-mb": (with_part("project.toml", b"#" * 3_000_000), "at most 2 MB"),
    "too-many-parts": (many, "too many parts"),
    "zip-list-of-900-mb": (listed(5, 900_000_000), "too many parts"),
    "zip64": (listed(0xFFFF, 0xFFFFFFFF), "too many parts"),
    "absolute": (with_part("/etc/cron.d/x", b"x"), "outside itself"),
    "dots": (with_part("documents/../../../x.md", b"x"), "outside itself"),
    "backslashes": (with_part("documents\\..\\x.md", b"x"), "outside itself"),
    "drive": (with_part("C:/x.md", b"x"), "outside itself"),
    "zero-in-name": (
        lambda p: packed({**p, "documents/current/aXb.md": b"x"}).replace(b"aXb.md", b"a\x00b.md"),
        "outside itself",
    ),
    "link": (special(stat.S_IFLNK), "link or a special"),
    "device": (special(stat.S_IFCHR), "link or a special"),
    "doubled-part": (twice("project.toml"), "twice"),
    "encrypted": (flag(0x1), "encrypted"),
    "lzma": (squeezed(zipfile.ZIP_LZMA), "packed in a way"),
    "bad-checksum": (damaged, "damaged"),
    "unknown-part": (with_part("run.sh", b"rm -rf"), "no part of a project"),
    "unlisted-document": (with_part("documents/current/x.md", b"x"), "no part of a project"),
    "unknown-key": (added("project.toml", 'colour = "red"'), "unknown key 'colour'"),
    "says-it-is-bundled": (added("project.toml", "bundled = true"), "unknown key 'bundled'"),
    "folder-of-the-machine": (added("project.toml", 'folder = "../.."'), "unknown key 'folder'"),
    "wrong-type": (replaced("project.toml", "dollars_per_hour = 1.25", "dollars_per_hour = [1]"), "must be a number"),
    "not-a-number": (replaced("project.toml", "dollars_per_hour = 1.25", "dollars_per_hour = nan"), "between 0"),
    "not-toml": (with_part("project.toml", b"= = ="), "not TOML"),
    "nested-toml": (nested, "project.toml"),
    "date-in-scenario": (added("project.toml", "scenario = {calculator = {a = 2020-01-01}}"), "project.toml"),
    "bad-id": (replaced("project.toml", 'id = "kase-zeppelin"', 'id = "../../x"'), "small letters"),
    "not-utf-8": (with_part("project.toml", b"\xff\xfe"), "not UTF-8"),
    "other-version": (replaced("archive.toml", "version = 1", "version = 99"), "version 99"),
    "impossible-settings": (replaced("archive.toml", "chunk_size = 160", "chunk_size = 0"), "Chunk size"),
    "set-outside": (replaced("archive.toml", "questions/1.jsonl", "project.toml"), "cannot hold a question set"),
    "sets-of-one-member": (replaced("archive.toml", "questions/2.jsonl", "questions/1.jsonl"), "holds no"),
    "bad-questions": (with_part("questions/1.jsonl", b'{"question": 7, "answer": {}}'), "must be text"),
    "document-path-outside": (added("documents.jsonl", DOC % ("current", "../x.md", "{}")), "no document's name"),
    "document-twice": (
        lambda p: packed({**p, "documents.jsonl": p["documents.jsonl"] * 2}),
        "holds no",
    ),
    "view-outside": (added("documents.jsonl", DOC % ("../x", "a.md", "{}")), "no usable name"),
    "metadata-nested": (added("documents.jsonl", DOC % ("current", "a.md", '{"a":{"b":1}}')), "texts and numbers"),
    "document-missing": (without("documents/current/setup.md"), "holds no"),
    "document-empty": (with_part("documents/current/setup.md", b" "), "holds no text"),
    "document-binary": (with_part("documents/current/setup.md", b"\x00\x01\xff"), "setup.md"),
    "run-without-arms": (added("runs.jsonl", RUN % "abcdef"), "not those of its arms"),
    "run-id-a-path": (added("runs.jsonl", RUN % "../../x"), "no finished run"),
    "run-state-is-markdown": (
        replaced("runs.jsonl", '"state": "done"', '"state": "[x](http://x)"'),
        "a state or a way",
    ),
    "run-not-json": (added("runs.jsonl", "{" * 5000), "not JSON"),
    "run-twice": (lambda p: packed({**p, "runs.jsonl": p["runs.jsonl"] * 2}), "two results of one id"),
    "evaluation-of-another-name": (
        lambda p: packed({**{k: d for k, d in p.items() if k != EVALUATION}, "evaluations/x.jsonl": p[EVALUATION]}),
        "not the evaluation of that name",
    ),
    "evaluation-running": (replaced(EVALUATION, '"state": "done"', '"state": "running"'), "that ended is wanted"),
    "evaluation-number": (replaced(EVALUATION, '"number": 0', '"number": 99'), "cannot be read"),
    "evaluation-row": (replaced(EVALUATION, '"reply": "It is zeppelin."', '"reply": {"a": 1}'), "cannot be read"),
    "evaluation-options": (replaced(EVALUATION, '"options": {', '"options": {"arms": 7, "x": {'), "not JSON"),
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """The members of a good file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RR_HOME", str(tmp_path_factory.mktemp("good")))
        runtime.close()
        made = zipfile.ZipFile(exported(runtime.get(), fill(runtime.get())))
        runtime.close()
    return {name: made.read(name) for name in made.namelist()}


def test_the_good_file_is_taken(here: Runtime, parts: Parts) -> None:
    assert whole.take_in(here, io.BytesIO(packed(parts)))[0].id == "kase-zeppelin"


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line_and_changes_nothing(here: Runtime, parts: Parts, case: str) -> None:
    make, message = HOSTILE[case]
    here.knowledge(here.projects.create("Stays")).add("a.md", "# A\n\nWords.")
    before = everything(here)
    with pytest.raises(Problem, match=message) as refused:
        whole.take_in(here, io.BytesIO(make(parts)))
    assert "\n" not in refused.value.message and len(refused.value.message) < 400
    assert everything(here) == before


def test_a_refused_write_leaves_nothing(here: Runtime, parts: Parts) -> None:
    before = everything(here)
    with pytest.raises(Problem, match="title"):
        whole.take_in(here, io.BytesIO(packed(parts)), "x" * 100)
    assert everything(here) == before


def test_a_file_named_by_hand_must_be_one(tmp_path: Path) -> None:
    from core.__main__ import main

    wrong = tmp_path / f"x{ENDING}"
    wrong.write_bytes(b"PK")
    assert main(["project", "import", str(wrong), "--json"]) == 2
    assert main(["project", "import", str(tmp_path / "none")]) == 2
