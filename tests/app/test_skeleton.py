"""Claims about the tree itself: what is where, and who may know whom."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "README.md",
    "requirements.txt",
    "app.py",
    "pages",
    "core",
    "models",
    "tests",
    "LICENSE",
    "LICENSE-THIRD-PARTY",
}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.fail("the tests run in a git checkout")
    return listed.stdout.splitlines()


def test_top_level_is_closed() -> None:
    tops = {name.split("/")[0] for name in tracked()}
    assert {name for name in tops if not name.startswith(".")} <= ALLOWED


def test_core_never_imports_streamlit() -> None:
    guilty = [path for path in (ROOT / "core").rglob("*.py") if "streamlit" in imports(path)]
    assert guilty == []


def modules(path: Path) -> set[str]:
    """The full names of what a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize(("folder", "forbidden"), [("core", "models"), ("pages", "core.commands")])
def test_dependencies_point_one_way_down(folder: str, forbidden: str) -> None:
    guilty = [
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / folder).rglob("*.py")
        for name in modules(path)
        if name == forbidden or name.startswith(f"{forbidden}.")
    ]
    assert guilty == []


def test_a_fragment_is_made_in_one_module() -> None:
    files = [*(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    assert [path.name for path in files if "st.fragment" in path.read_text(encoding="utf-8")] == ["apart.py"]


def test_llama_cpp_is_imported_in_one_module_and_llama_index_in_one_package() -> None:
    files = [path for folder in ("core", "pages", "models") for path in (ROOT / folder).rglob("*.py")]
    llama_cpp = [path for path in files if "llama_cpp" in imports(path)]
    assert len(llama_cpp) == 1 and llama_cpp[0].is_relative_to(ROOT / "core" / "engine")
    llama_index = [path for path in files if "llama_index" in imports(path)]
    assert llama_index and all(path.is_relative_to(ROOT / "core" / "retrieval") for path in llama_index)


def test_the_endpoints_client_is_imported_in_one_module_and_only_when_one_is_asked() -> None:
    files = [path for folder in ("core", "pages", "models") for path in (ROOT / folder).rglob("*.py")]
    assert [path for path in files if "openai" in imports(path)] == [ROOT / "core" / "endpoint.py"]
    code = "import sys, core.endpoint, core.runtime; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_pages_stay_short() -> None:
    long = {path.name: n for path in (ROOT / "pages").rglob("*.py") if (n := len(path.read_text().splitlines())) > 160}
    assert long == {}


def test_no_tracked_file_is_a_third_partys_weights() -> None:
    most = {"models/adapter/brightwater-standard.gguf": 20_000_000}  # our own, over a base of 494 million weights
    sizes = {name: (ROOT / name).stat().st_size for name in tracked() if (ROOT / name).exists()}
    assert [name for name, size in sizes.items() if size > most.get(name, 12_000_000)] == []


def test_decision_pages_import_neither_llama_cpp_nor_llama_index() -> None:
    code = (
        "import sys, core.calculator, core.advisor, core.evidence.figures, core.evidence.claims;"
        "bad = [m for m in ('llama_cpp', 'llama_index', 'gguf', 'torch') if m in sys.modules];"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "argv", [["nonsense"], ["ask"], ["ask", ""], ["ask", "x" * 1_000_000], ["ask", "x", "--top-k", "0"]]
)
def test_bad_input_is_one_line_and_status_2(argv: list[str], tmp_path: Path) -> None:
    if len(argv) > 1 and len(argv[1]) > 100_000:
        argv = [argv[0], argv[1][:100_000]]  # the operating system's own limit for one argument
    done = subprocess.run(
        [sys.executable, "-m", "core", *argv],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"RR_HOME": str(tmp_path), "PATH": ""},
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1 and done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    "argv",
    [["calculate", "--json"], ["--help"], ["advise", "--list"], ["index", "list", "--json", "--words-only"]],
)
@pytest.mark.parametrize("shared", [False, True], ids=["errors-shown", "errors-into-the-same-pipe"])
def test_a_reader_that_leaves_ends_a_command_quietly(argv: list[str], shared: bool, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # what `| head -1` does, only sooner, so that the first byte finds nobody
    env = os.environ | {"RR_HOME": str(tmp_path)}
    (tmp_path / "retrieve-or-retrain.sqlite3").touch()
    done = subprocess.run(
        [sys.executable, "-m", "core", *argv],
        cwd=ROOT,
        stdout=writer,
        stderr=writer if shared else subprocess.PIPE,
        env=env,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr or b"") == (141, b"")


def test_errors_nobody_reads_end_a_command_quietly(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    env = os.environ | {"RR_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "core", "nonsense"], cwd=ROOT, stderr=writer, env=env, check=False)
    os.close(writer)
    assert done.returncode == 141
