"""A folder's documents as texts. Knows no index.

Names come from the folder as relative paths; links are not followed, so nothing outside the folder is read.
"""

from pathlib import Path

from core.errors import Problem
from core.retrieval import parsing
from core.text import one_line

MOST_FILES = 20_000


def listing(folder: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Relative paths of the files that can be read as documents, sorted; and (path, why) of those left out.

    Raises Problem when `folder` is not a folder or holds too many files.
    """
    if not folder.is_dir():
        raise Problem(f"There is no folder '{one_line(str(folder), 200)}'.")
    names: list[str] = []
    skipped: list[tuple[str, str]] = []
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in Path(name).parts) or file.is_dir():
            continue
        if file.is_symlink() or not file.is_file():
            skipped.append((name, "a link or special file: not followed."))
        elif file.suffix.lower() not in parsing.SUFFIXES:
            skipped.append((name, f"its type is not read. Types: {', '.join(parsing.SUFFIXES)}."))
        else:
            names.append(name)
        if len(names) > MOST_FILES:
            raise Problem(f"The folder holds more than {MOST_FILES:,} documents. Index its parts one by one.")
    return names, skipped


def read(folder: Path, name: str) -> tuple[str, dict[str, str]]:
    """Text and metadata of one file. Raises Problem with one clear line when it cannot be read as a document."""
    file = folder / name
    try:
        size = file.stat().st_size
        if size > parsing.LARGEST_FILE:
            raise Problem(parsing.too_large(name, size))
        data = file.read_bytes()
    except OSError as error:
        raise Problem(f"'{one_line(name, 80)}' cannot be read ({error.strerror}).") from error
    parsed = parsing.parse(name, data)
    return parsed.text, {"type": parsed.type}
