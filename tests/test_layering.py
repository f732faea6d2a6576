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
    """Package -> packages it may import, and the packages without JAX."""
    text = (ROOT / "docs" / "design.md").read_text()
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|(.*)\|$", text, re.MULTILINE)
    allowed: dict[str, set[str]] = {}
    without_jax = set()
    for names, about, listed in rows:
        above = set(allowed)
        packages = re.findall(r"`(\w+)`", names)
        may = above if listed.strip() == "all above" else set(re.findall(r"\w+", listed))
        assert may <= above, f"{names} may not import what stands below it"
        for package in packages:
            allowed[package] = may
            if "no jax" in about.lower():
                without_jax.add(package)
    return allowed, without_jax


ALLOWED, WITHOUT_JAX = read_table()


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


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
    assert {"formats", "charset", "spec"} <= WITHOUT_JAX


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_up(path):
    package = package_of(path)
    allowed = set(ALLOWED) if package in FREE else ALLOWED[package] | {package}
    wrong = []
    for line, name in imports(path):
        top, _, rest = name.partition(".")
        if top == "lstmjax" and rest.split(".")[0] not in allowed:
            wrong.append(f"line {line}: {name}")
        if top in HEAVY - {"PIL"} and package in WITHOUT_JAX:
            wrong.append(f"line {line}: {name} in a package without JAX")
    assert not wrong


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
