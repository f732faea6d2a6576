"""Machine code is found again only where everything it was made of is the same."""

import ast
import os
import shutil
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from lstmjax.cache import code

PACKAGE = Path(__file__).parents[2] / "lstmjax"
DECORATORS = {
    "kernel", "float_kernel", "inner", "handler", "vector_kernel", "operation", "intrinsic",
}  # fmt: skip
TANH = """
import numpy as np
from lstmjax.exact.layers import _cell
one = lambda x: np.array([x], np.float32)
out = one(0)
_cell(np.concatenate([one(0.5), one(1), one(1), one(1)]), one(0), one(0)[:0], one(0), one(0), out)
print(float(out[0]))
"""


def run(code: str, package: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **environ, "PYTHONPATH": str(package.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ, cwd=package.parent, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def test_an_edit_changes_what_runs_though_another_file_calls_it(tmp_path):
    """`_cell` of layers.py has the code of tanh in it, which tables.py defines."""
    package = tmp_path / "lstmjax"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    cache_home = str(tmp_path / "cache")
    before = run(TANH, package, XDG_CACHE_HOME=cache_home)
    assert float(before.stdout) == pytest.approx(0.46211717, abs=1e-4)
    tables = package / "exact" / "tables.py"
    text = tables.read_text()
    edited = text.replace("out[i] = -y if values[i] < 0 else y", "out[i] = np.float32(0)")
    assert edited != text
    tables.write_text(edited)
    after = run(TANH, package, XDG_CACHE_HOME=cache_home)
    assert float(after.stdout) == 0
    tables.write_text(text)
    again = run(TANH, package, XDG_CACHE_HOME=cache_home)
    assert again.stdout == before.stdout
    assert before.stderr == after.stderr == again.stderr == ""


@pytest.mark.parametrize(
    "change",
    [
        {"NUMBA_CPU_NAME": "haswell"},
        {"NUMBA_CPU_FEATURES": "+fma"},
        {"NUMBA_BOUNDSCHECK": "1"},
    ],
    ids=str,
)
def test_other_settings_have_a_place_of_their_own(change, monkeypatch):
    for name in [name for name in os.environ if name.startswith("NUMBA_")]:
        monkeypatch.delenv(name)
    usual = code.fingerprint.__wrapped__()
    monkeypatch.setenv("NUMBA_OPT", "1")  # operations are compiled ahead with this
    assert code.fingerprint.__wrapped__() == usual
    ((name, value),) = change.items()
    monkeypatch.setenv(name, value)
    assert code.fingerprint.__wrapped__() != usual


@pytest.mark.parametrize("package", ["numba", "llvmlite", "numpy"])
def test_other_versions_have_a_place_of_their_own(package, monkeypatch):
    usual = code.fingerprint.__wrapped__()
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.0" if name == package else real(name))
    assert code.fingerprint.__wrapped__() != usual


@cache
def bindings(path: Path) -> dict[str, ast.AST]:
    """What a module binds at its top level, also in branches: name -> statement."""
    found: dict[str, ast.AST] = {}
    todo = list(ast.parse(path.read_text()).body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, (ast.ImportFrom, ast.Import)):
            found |= {alias.asname or alias.name: node for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in ast.walk(node):
                if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                    found[target.id] = node
    return found


def module_path(name: str) -> Path | None:
    """The file of one of our modules."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    for each in (path.with_suffix(".py"), path / "__init__.py"):
        if each.is_file():
            return each
    return None


def reached(path: Path, name: str, seen: set[tuple[Path, str]]) -> None:
    """Collect where a name, and all that its definition names, is defined in this package."""
    node = bindings(path).get(name)
    if node is None or (path, name) in seen:
        return
    seen.add((path, name))
    if isinstance(node, ast.ImportFrom):
        if node.module and node.module.startswith("lstmjax") and node.module != "lstmjax.cache":
            source = module_path(node.module)
            original = next(a.name for a in node.names if (a.asname or a.name) == name)
            if source is not None:
                reached(source, original, seen)
        return
    body = list(ast.walk(node))
    for each in body:
        if isinstance(each, ast.Name):
            reached(path, each.id, seen)
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            imported = bindings(path).get(each.value.id)
            if isinstance(imported, ast.ImportFrom) and imported.module:
                names = {a.asname or a.name: a.name for a in imported.names}
                module = module_path(f"{imported.module}.{names[each.value.id]}")
                if module is not None and module.is_relative_to(PACKAGE):
                    reached(module, each.attr, seen)


def is_compiled(path: Path, node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef):
        return False
    decorators = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
    names = {each.id for each in decorators if isinstance(each, ast.Name)}
    return bool(names & DECORATORS) or path.match("_*_loops.py")


def test_all_that_compiled_code_is_made_of_is_in_the_fingerprint():
    seen: set[tuple[Path, str]] = set()
    loops = 0
    for path in PACKAGE.rglob("*.py"):
        for name, node in bindings(path).items():
            if is_compiled(path, node):
                loops += 1
                reached(path, name, seen)
    assert loops > 150
    covered = {path for pattern in code.SOURCES for path in PACKAGE.glob(pattern)}
    needed = {path for path, _ in seen}
    assert PACKAGE / "exact" / "tables.py" in needed
    outside = {path for path in needed - covered if path.parent != PACKAGE / "cache"}
    assert sorted(str(path.relative_to(PACKAGE)) for path in outside) == []
