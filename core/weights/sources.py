"""Ways to get the files of one source into an empty staging folder: local, installed, index (`hub` is one more).

A file that several distributions hold together is the business of `parts`, which takes its wheels through here.

Each way is a function of a Request that leaves every file of the source, verified, in `request.stage` and gives back
where they came from, or raises Unavailable with the reason. The manifest's SHA-256 decides; a full disk ends the whole
attempt, since no other way would help. What is needed and where it ends up is decided in `core.weights.catalog`.
"""

import errno
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import Problem
from core.text import one_line
from core.weights.manifest import File, Source, Way

Progress = Callable[[float, str], None]
CHUNK = 1 << 20
STALL_S = 300.0  # a package download that brings no byte for so long is given up
DISK_ERRORS = {errno.ENOSPC, errno.EFBIG, *((errno.EDQUOT,) if hasattr(errno, "EDQUOT") else ())}


class Unavailable(Exception):
    """This way does not lead to the files; the message is the reason, for the list of what was tried."""


class Cancelled(Problem):
    """The person stopped it."""

    def __init__(self) -> None:
        super().__init__("Stopped. What was downloaded of large files is kept and resumed next time.")


@dataclass(frozen=True)
class Request:
    """What a way is asked for: the source, and an empty folder of our own for its files.

    `parts`: folder where an interrupted download stays to be resumed. `folders`: where the user keeps copies.
    """

    source: Source
    way: Way
    stage: Path
    parts: Path
    hub: str = ""
    folders: tuple[Path, ...] = ()
    progress: Progress = lambda done, message: None
    cancelled: Callable[[], bool] = lambda: False


class Meter:
    """Words for a transfer under way: how much of `total` bytes is there, and how long the rest takes at this pace."""

    def __init__(self, total: int, have: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.first, self.clock, self.began = total, have, clock, clock()

    def __call__(self, have: int) -> str:
        """As "120 of 491 MB, about 40 s left"; without a time in the first seconds."""
        text = f"{min(have, self.total) / 1e6:,.0f} of {self.total / 1e6:,.0f} MB"
        passed, new = self.clock() - self.began, have - self.first
        if passed < 3 or new <= 0 or have >= self.total:
            return text
        left = passed / new * (self.total - have)
        return f"{text}, about " + (f"{left:.0f} s left" if left < 90 else f"{left / 60:.0f} minutes left")


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def disk_problems(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into a Problem; a full disk, quota or file size limit into one that says so."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(folder) from error
        raise Problem(f"The models folder {folder} cannot be used: {error.strerror or error}.") from error


def is_disk_full(error: OSError) -> bool:
    """Whether `error` says that no more bytes fit. NumPy's tofile says so in words, without an error number."""
    return error.errno in DISK_ERRORS or (error.errno is None and "requested and" in str(error))


def disk_full(folder: Path, needed: int | None = None) -> Problem:
    """The Problem of a full disk. `needed` in bytes, when known."""
    want = "" if needed is None else f" {needed / 1e6:,.0f} MB are needed."
    free = shutil.disk_usage(folder).free / 1e6
    return Problem(
        f"The disk is full, or a quota is reached, in {folder} ({free:,.0f} MB free).{want} "
        "Free some space, or set RR_HOME to a folder on another disk; then try again."
    )


def describe(way: Way, folders: tuple[Path, ...] = ()) -> str:
    """A way in words, for progress and for the list of what was tried."""
    if way.kind == "local":
        return "your own folders" + (f" ({', '.join(map(str, folders))})" if folders else "")
    if way.kind == "installed":
        return f"the installed package {way.distribution}" if way.distribution else "installed packages"
    if way.kind == "index":
        what = f"{way.distribution}=={way.version}" if way.distribution else "in several packages"
        return f"the package index ({what})"
    return f"the model hub ({way.repository})"


def copy_verified(stream: BinaryIO, file: File, target: Path, request: Request) -> None:
    """Copy `stream` to `target`, reading at most one byte more than the file may have.

    Raises Unavailable when size or SHA-256 differ from the manifest.
    """
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as out:
        while chunk := stream.read(min(CHUNK, file.size + 1 - size)):
            check_cancelled(request)
            digest.update(chunk)
            out.write(chunk)
            size += len(chunk)
            request.progress(min(1.0, size / file.size), f"Copying {file.name}")
        out.flush()
        os.fsync(out.fileno())
    if size != file.size or (file.sha256 is not None and digest.hexdigest() != file.sha256):
        target.unlink()
        raise Unavailable(f"{file.name} there is another file than the manifest names (size or SHA-256 differs)")


def _copy_file(path: Path, file: File, request: Request) -> None:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Unavailable(f"{path} cannot be read ({error.strerror})") from error
    with stream:
        copy_verified(stream, file, request.stage / file.name, request)


def check_cancelled(request: Request) -> None:
    """Raise Cancelled once the person has asked to stop."""
    if request.cancelled():
        raise Cancelled


def pause(seconds: float, request: Request) -> None:
    """Wait, unless the person stops it."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        check_cancelled(request)
        time.sleep(min(0.1, left))


def local(request: Request) -> str:
    """Files by their own name, by the hub's name, or the wheel, in the folders that the user named."""
    if not request.folders:
        raise Unavailable("none named: use --from FOLDER or RR_MODELS")
    for folder in request.folders:
        for way in request.source.ways:
            if way.kind == "index" and (wheel := find_wheel(folder, way.distribution, way.version, way.sha256)):
                _unpack(wheel, request)
                return f"the wheel {wheel.name} in {folder}"
        found = {file.name: _find(folder, file) for file in request.source.files}
        if all(found.values()):
            for file in request.source.files:
                path = found[file.name]
                assert path is not None
                _copy_file(path, file, request)
            return f"the folder {folder}"
    names = ", ".join(file.name for file in request.source.files)
    raise Unavailable(f"no wheel and no {names} there")


def _find(folder: Path, file: File) -> Path | None:
    """A regular file of the right name and size (never a pipe or device)."""
    names = [file.name, Path(file.hub).name] if file.hub else [file.name]
    for path in [folder / name for name in names] + ([folder] if folder.name in names else []):
        if path.is_file() and path.stat().st_size == file.size:
            return path
    return None


def find_wheel(folder: Path, distribution: str, version: str, digest: str) -> Path | None:
    """The wheel of that name and SHA-256 in a folder of the user's own."""
    if not distribution or not folder.is_dir():
        return None
    named = folder.glob(f"{distribution.replace('-', '_')}-{version}-*.whl")
    return next((path for path in named if path.is_file() and sha256(path) == digest), None)


def installed(request: Request) -> str:
    """Files of an installed distribution, found through its metadata; the package is never imported."""
    way = request.way
    try:
        distribution = importlib.metadata.distribution(way.distribution)
    except importlib.metadata.PackageNotFoundError:
        raise Unavailable("not installed") from None
    for file in request.source.files:
        path = Path(str(distribution.locate_file(file.member or file.name)))
        if not path.is_file():
            raise Unavailable(f"version {distribution.version} does not hold {file.member}")
        _copy_file(path, file, request)
    return f"the installed package {way.distribution} {distribution.version}"


def index(request: Request) -> str:
    """One wheel by pip, or uv where pip is absent, with the user's own configuration, checked by hash."""
    room, way = request.stage / "package", request.way
    place, tool = download(request, room)
    _unpack(place, request)
    shutil.rmtree(room, ignore_errors=True)
    return f"{way.distribution}=={way.version} through {tool}"


def download(request: Request, room: Path, keep: bool = True) -> tuple[Path, str]:
    """The wheel that `request.way` names, in the new folder `room`, and the tool that brought it.

    uv leaves a folder with the wheel's content in its place. `keep`: whether the tool may keep a copy in its cache.
    """
    way = request.way
    room.mkdir()
    wanted = room / "requirements.txt"
    wanted.write_text(f"{way.distribution}=={way.version} --hash=sha256:{way.sha256}\n", encoding="utf-8")
    if importlib.util.find_spec("pip") is not None:
        tool, options = "pip", ["download", "--dest", str(room / "out"), "--progress-bar", "off"]
        command = [sys.executable, "-m", "pip", *options, "--disable-pip-version-check", "--no-input"]
        command += [] if keep else ["--no-cache-dir"]
    elif uv := shutil.which("uv"):
        tool = "uv"
        command = [uv, "pip", "install", "--target", str(room / "out"), "--python", sys.executable, "--no-progress"]
        command += [] if keep else ["--no-cache"]
    else:
        raise Unavailable("this Python has neither pip nor uv")
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(wanted)]
    _run(command, room, request, tool)
    return next((room / "out").glob("*.whl"), room / "out"), tool


def _run(command: list[str], room: Path, request: Request, tool: str) -> None:
    """Run the downloader inside `room` (its temporary files too), showing the bytes that have arrived."""
    scratch = room / "tmp"
    scratch.mkdir()
    (room / "out").mkdir()
    environment = os.environ | {"TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
    message = f"Downloading {request.source.name} with {tool}"
    with (room / "log").open("w+b") as log:
        process = subprocess.Popen(
            command, cwd=room, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _watch(process, room, request, message)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        log.seek(0)
        said = log.read().decode(errors="replace")
    if process.returncode == 0:
        return
    if any(f"[Errno {number}]" in said for number in DISK_ERRORS) or "os error 28" in said:
        raise disk_full(room, request.way.size or None)
    errors = [line for line in said.splitlines() if "error" in line.lower()] or said.splitlines()[-1:]
    raise Unavailable(f"{tool} said: {one_line(' '.join(errors), 400) or 'nothing'}")


def _watch(process: "subprocess.Popen[bytes]", room: Path, request: Request, message: str) -> None:
    arrived, moved, meter = 0, time.monotonic(), Meter(request.way.size)
    while process.poll() is None:
        check_cancelled(request)
        size = _bytes_below(room)
        if size != arrived:
            arrived, moved = size, time.monotonic()
        if time.monotonic() - moved > STALL_S:
            raise Unavailable(f"nothing arrived for {STALL_S:.0f} s")
        if request.way.size:
            request.progress(min(0.99, arrived / request.way.size), f"{message} · {meter(arrived)}")
        time.sleep(0.1)


def _bytes_below(folder: Path) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # pip moved it meanwhile
                total += Path(base, name).lstat().st_size
    return total


def _unpack(place: Path, request: Request) -> None:
    """Take the source's members, and nothing else, out of a wheel or of a folder with its content."""
    for file in request.source.files:
        with open_member(place, file.member or file.name) as stream:
            copy_verified(stream, file, request.stage / file.name, request)


@contextmanager
def open_member(place: Path, member: str) -> Iterator[BinaryIO]:
    """A member of a wheel, or of a folder with a wheel's content, to read. Raises Unavailable when it is not whole."""
    if place.is_dir():
        try:
            stream = (place / member).open("rb")
        except OSError as error:
            raise Unavailable(f"{member} cannot be read ({error.strerror})") from error
        with stream:
            yield stream
        return
    try:
        with zipfile.ZipFile(place) as archive, archive.open(member) as packed:
            yield packed  # type: ignore[misc]
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise Unavailable(f"{place.name} does not hold what it should ({error})") from error
