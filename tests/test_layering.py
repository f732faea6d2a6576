"""Imports follow the table of docs/design.md, and starting a command costs next to nothing."""

import ast
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmjax.cli.main import TOOLS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lstmjax"
HEAVY = {"jax", "jaxlib", "numba", "flax", "optax", "orbax", "matplotlib", "rich", "PIL"}
FREE = {"__init__", "__main__"}  # the public names; the command


def read_table() -> tuple[dict[str, set[str]], set[str]]:
    """Row (a package, or a part of one) -> rows it may import, and the packages without JAX."""
    text = (ROOT / "docs" / "design.md").read_text()
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|(.*)\|$", text, re.MULTILINE)
    allowed: dict[str, set[str]] = {}
    without_jax = set()
    for names, about, listed in rows:
        above = set(allowed)
        may, _, forbidden = listed.strip().partition(" except ")
        rows_above = above if may == "all above" else set(re.findall(r"[\w.]+", may))
        rows_above = rows_above - set(re.findall(r"[\w.]+", forbidden))
        assert rows_above <= above, f"{names} may not import what stands below it"
        for row in re.findall(r"`([\w.]+)`", names):
            allowed[row] = rows_above
            if "no jax" in about.lower():
                without_jax.add(row)
    return allowed, without_jax


ALLOWED, WITHOUT_JAX = read_table()


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def row_of(parts: list[str]) -> str:
    """The row of a module, or of a name in it: the longest that it begins with."""
    return next(
        (".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in ALLOWED),
        parts[0] if parts else "",
    )


def package_of(path: Path) -> str:
    return row_of(list(path.relative_to(PACKAGE).with_suffix("").parts))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def test_the_table_names_every_package():
    found = {package_of(path) for path in modules()} - FREE
    assert found == set(ALLOWED)
    assert {"formats", "charset", "netspec"} <= WITHOUT_JAX


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_up(path):
    package = package_of(path)
    allowed = set(ALLOWED) if package in FREE else ALLOWED[package] | {package}
    wrong = []
    for line, name in imports(path):
        top, _, rest = name.partition(".")
        if top == "lstmjax" and row_of(rest.split(".")) not in allowed:
            wrong.append(f"line {line}: {name}")
        if top in HEAVY - {"PIL"} and package in WITHOUT_JAX:
            wrong.append(f"line {line}: {name} in a package without JAX")
    assert not wrong


def test_no_modules_import_each_other_in_a_circle():
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules()}
    arrows = {
        name: {
            found
            for _, full in imports(ROOT / Path(*name.split(".")).with_suffix(".py"))
            for found in (full, full.rpartition(".")[0])
            if found in names and found != name
        }
        for name in names
    }
    left = dict(arrows)
    while left:
        imported = {other for arrows_of in left.values() for other in arrows_of}
        free = {name for name, others in left.items() if not others & set(left)}
        free |= set(left) - imported
        if not free:
            break
        left = {name: arrows_of for name, arrows_of in left.items() if name not in free}
    assert sorted(left) == []


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def test_packages_without_jax_load_without_it():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in modules()
        if package_of(path) in WITHOUT_JAX and path.stem != "__init__"
    ]
    code = f"import sys, {', '.join(names)}; print({{'jax', 'numba'}} & set(sys.modules))"
    assert run_python(code) == "set()\n"


LOADED = f"print('loaded', sorted({HEAVY!r} & set(sys.modules)))"


def help_code(tool: str) -> str:
    return (
        "import sys\nfrom lstmjax.cli.main import run\n"
        f"try:\n    run([{tool!r}, '--help'])\nexcept SystemExit as leaving:\n"
        f"    assert not leaving.code\n{LOADED}"
    )


@pytest.mark.parametrize("tool", TOOLS)
def test_help_loads_nothing_heavy(tool):
    out = run_python(help_code(tool))
    assert out.endswith("loaded []\n")
    assert tool in out


def test_importing_the_package_loads_nothing_heavy():
    assert run_python(f"import sys, lstmjax\n{LOADED}") == "loaded []\n"


def cpu_seconds(*command: str) -> float:
    """User and system time of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@pytest.mark.parametrize(
    "arguments",
    [["-c", "import lstmjax"], *(["-m", "lstmjax", tool, "--help"] for tool in TOOLS)],
    ids=["import", *TOOLS],
)
def test_starting_takes_little_time(arguments):
    assert min(cpu_seconds(sys.executable, *arguments) for _ in range(4)) < 0.5
