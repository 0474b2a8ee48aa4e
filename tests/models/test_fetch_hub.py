"""Fetching from a model hub, against a local server that speaks the same URLs."""

import urllib.request

import pytest

from core.errors import Problem
from core.weights import hub as client
from core.weights.sources import Unavailable


@pytest.fixture
def catalog(tiny, hub, tmp_path):
    return tiny.catalog(tmp_path / "weights", tiny.way("hub"), hub=hub.url)


def installed(catalog, tiny):
    return {name: (catalog.weights / name).read_bytes() == data for name, data in tiny.contents.items()}


def leftovers(catalog):
    return sorted(path.name for path in catalog.weights.rglob("*") if ".part" in path.name or "staging" in path.name)


def test_files_arrive_through_the_redirect_and_nothing_else_stays(catalog, tiny, hub):
    spec = catalog.ensure("base")
    assert installed(catalog, tiny) == {"tiny.gguf": True, "vocab.txt": True}
    assert spec.sha256 == catalog.manifest.sources["tiny"].files[0].sha256
    assert hub.asked[0] == "/someone/tiny/resolve/abc123/tiny.gguf"
    assert leftovers(catalog) == []


@pytest.mark.parametrize("cut", [0, 1, 150_000, 299_999])
def test_a_truncated_download_goes_on_where_it_broke_off(catalog, tiny, hub, cut):
    hub.script = [f"cut {cut}"]
    catalog.ensure("base")
    assert hub.ranges[:2] == [None, f"bytes={cut}-" if cut else None]
    assert all(installed(catalog, tiny).values())


def test_many_breaks_with_progress_between_them_are_no_failure(catalog, tiny, hub):
    hub.script = ["cut 20000"] * 14
    catalog.ensure("base")
    assert all(installed(catalog, tiny).values())


def test_an_interrupted_download_is_resumed_by_the_next_process(catalog, tiny, hub):
    hub.script = ["cut 100000", *["status 503"] * client.ATTEMPTS]
    with pytest.raises(Problem):
        catalog.ensure("base")
    assert not (catalog.weights / "tiny.gguf").exists()
    again = tiny.catalog(catalog.weights, tiny.way("hub"), hub=hub.url)
    again.ensure("base")
    assert hub.ranges[-2] == "bytes=100000-"
    assert all(installed(catalog, tiny).values())


@pytest.mark.parametrize("act", ["whole", "changed"])
def test_a_server_without_ranges_or_with_a_new_version_starts_anew(catalog, tiny, hub, act):
    hub.script = ["cut 100000", act]
    catalog.ensure("base")
    assert all(installed(catalog, tiny).values())


def test_a_part_longer_than_the_file_is_dropped(catalog, tiny, hub):
    hub.script = ["cut 100000", *["status 503"] * client.ATTEMPTS]
    with pytest.raises(Problem):
        catalog.ensure("base")
    part = catalog.weights / "unfinished" / "tiny.gguf.part"
    part.write_bytes(b"x" * 400_000)
    catalog.ensure("base")
    assert all(installed(catalog, tiny).values())


def test_a_damaged_part_is_found_by_its_hash_and_not_kept(catalog, tiny, hub):
    hub.script = ["cut 100000", *["status 503"] * client.ATTEMPTS]
    with pytest.raises(Problem):
        catalog.ensure("base")
    part = catalog.weights / "unfinished" / "tiny.gguf.part"
    part.write_bytes(b"x" * 100_000)
    with pytest.raises(Problem, match="another SHA-256"):
        catalog.ensure("base")
    assert leftovers(catalog) == []
    catalog.ensure("base")
    assert all(installed(catalog, tiny).values())


def test_a_wrong_hash_is_refused_and_deleted(catalog, tiny, hub):
    hub.files["someone/tiny/abc123/tiny.gguf"] = bytes(300_000)
    with pytest.raises(Problem, match="another SHA-256"):
        catalog.ensure("base")
    assert not (catalog.weights / "tiny.gguf").exists()
    assert leftovers(catalog) == []


@pytest.mark.parametrize("size", [10, 5_000_000])
def test_another_size_is_refused_before_the_download(catalog, hub, size):
    hub.files["someone/tiny/abc123/tiny.gguf"] = bytes(size)
    with pytest.raises(Problem, match="the manifest says 300,000"):
        catalog.ensure("base")


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_named_at_once(catalog, hub, status):
    hub.script = [f"status {status}"] * 9
    with pytest.raises(Problem, match=f"HTTP {status}"):
        catalog.ensure("base")
    assert len(hub.ranges) == 1


def test_a_missing_file_is_named(catalog, hub):
    hub.files.clear()
    with pytest.raises(Problem, match="HTTP 404"):
        catalog.ensure("base")


def test_a_busy_server_is_asked_again(catalog, tiny, hub):
    hub.script = ["status 503", "status 429", "status 500"]
    catalog.ensure("base")
    assert all(installed(catalog, tiny).values())


def test_no_network_is_a_problem_that_says_what_to_do(tiny, hub, tmp_path):
    hub.server.server_close()
    nowhere = tiny.catalog(tmp_path / "w", tiny.way("hub"), hub="http://127.0.0.1:9")
    with pytest.raises(Problem) as caught:
        nowhere.ensure("base")
    assert "the model hub (someone/tiny)" in caught.value.message
    assert "What to do" in caught.value.message


def test_the_environment_names_another_hub(tiny, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", hub.url + "/")
    catalog = tiny.catalog(tmp_path / "w", tiny.way("hub"), hub="http://127.0.0.1:9")
    catalog.ensure("base")
    assert all(installed(catalog, tiny).values())


@pytest.mark.parametrize("endpoint", ["file:///etc", "ftp://example.invalid", "passwd"])
def test_only_http_addresses_are_hubs(tiny, hub, tmp_path, monkeypatch, endpoint):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(Problem, match="HF_ENDPOINT"):
        tiny.catalog(tmp_path / "w", tiny.way("hub")).ensure("base")


@pytest.mark.parametrize(
    "source, target",
    [("https", "http://hub.invalid/b"), ("https", "ftp://hub.invalid/b"), ("http", "ftp://hub.invalid/b")],
)
def test_a_redirect_to_less_than_the_web_is_refused(source, target):
    asked = urllib.request.Request(f"{source}://hub.invalid/a/resolve/main/b")
    with pytest.raises(Unavailable, match="not encrypted"):
        client._Redirect().redirect_request(asked, None, 302, "Found", {}, target)


def test_cancel_stops_the_download_and_keeps_the_part(catalog, hub, monkeypatch):
    monkeypatch.setattr(client, "CHUNK", 10_000)
    seen = []
    with pytest.raises(Problem, match="Stopped"):
        catalog.ensure("base", lambda done, message: seen.append(done), lambda: len(seen) > 5)
    assert not (catalog.weights / "tiny.gguf").exists()
    assert leftovers(catalog) == ["tiny.gguf.part", "tiny.gguf.part.json"]


def test_progress_rises_from_0_to_1(catalog, monkeypatch):
    monkeypatch.setattr(client, "CHUNK", 10_000)
    seen = []
    catalog.ensure("base", lambda done, message: seen.append((message, done)))
    first = [done for message, done in seen if "tiny.gguf" in message]
    assert first == sorted(first)
    assert seen[-1][1] == 1.0 and all(0 <= done <= 1 for _, done in seen)


def test_a_hash_that_nobody_knows_yet_is_recorded_at_the_first_download_and_held_to(tiny, hub, tmp_path):
    catalog = tiny.catalog(tmp_path / "w", tiny.way("hub"), hub=hub.url, pinned=False)
    spec = catalog.ensure("base")
    assert spec.sha256 == tiny.source().files[0].sha256
    (catalog.weights / "tiny.gguf").write_bytes(bytes(300_000))
    with pytest.raises(Problem, match="not ready"):
        catalog.spec("base")
    assert catalog.ensure("base").sha256 == spec.sha256
