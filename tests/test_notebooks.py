"""The notebooks of experiments/ run from top to bottom, and are committed without results."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "experiments" / "notebooks").glob("*.ipynb"))
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=500, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[1])
"""


def names(path: Path) -> str:
    return path.stem


def code_cells(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 5
    listed = (ROOT / "experiments" / "README.md").read_text()
    assert [path.name for path in NOTEBOOKS if f"(notebooks/{path.name})" not in listed] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_committed_without_results(path):
    for cell in code_cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    assert path.stat().st_size < 40_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_cells_hold_one_idea(path):
    cells = json.loads(path.read_text())["cells"]
    assert source(cells[0]).startswith("# ")
    assert max(len(source(cell).splitlines()) for cell in cells) <= 40
    assert sum(cell["cell_type"] == "markdown" for cell in cells) >= len(cells) / 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_plots_are_labelled(path):
    plots = [source(cell) for cell in code_cells(path) if "plt.show()" in source(cell)]
    assert plots
    assert [text for text in plots if "set_xlabel(" not in text and "suptitle(" not in text] == []


def execute(notebook: Path) -> None:
    """Run a notebook in small, in its folder, and keep the results in it."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("JAX_NUMPY_")}
    env |= {
        "LSTMJAX_NOTEBOOK_QUICK": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}",
    }
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, notebook],
        cwd=notebook.parent, env=env, capture_output=True, text=True, timeout=550,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with all notebooks, and the model that the first one makes."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(ROOT / "examples", folder / "examples")
    for path in NOTEBOOKS:
        shutil.copy(path, folder)
    execute(folder / NOTEBOOKS[0].name)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_runs_from_top_to_bottom(path, folder):
    notebook = folder / path.name
    if path != NOTEBOOKS[0]:
        execute(notebook)
    results = json.dumps([cell["outputs"] for cell in code_cells(notebook)])
    assert results.count('"image/png"') >= source_count(path)
    assert '"stderr"' not in results, results[-2000:]


def source_count(path: Path) -> int:
    """How many plots a notebook should show."""
    return sum("plt.show()" in source(cell) for cell in code_cells(path))
