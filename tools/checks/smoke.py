"""Install a wheel with other Pythons and versions of the libraries, and run the tools there.

    tools/smoke [--python PYTHON] [--versions newest|lowest] [--keep DIR]

Without --python every Python at hand (pyenv's, the system's, those on the PATH) that lstmjax
supports is tried, one of each minor version, with the newest versions of all libraries that it can
have; the oldest once more with the lowest versions that pyproject.toml allows. All of them get the
same wheel. Then the tools run one after the other in a folder from which the checkout cannot be
imported: training with evaluation, going on, making models, evaluating them, drawing and cutting
lines, the whole way of tesstrain. The exit status is 1 if something failed anywhere.
"""

import argparse
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SHOWN = ("jax", "numba", "numpy", "orbax-checkpoint", "pillow")  # versions in the table
STEP_SECONDS = 600  # far more than any step needs; what hangs has failed
NET_SPEC = "[1,24,0,1 Ct3,3,8 Mp3,3 Lfys24 Lfx64 O1c1]"
FIRST_LINES, ALL_LINES = 1600, 4000
HIGHEST_RATE = 80.0  # in per cent after ALL_LINES; the CER was 35, the BCER 51

DESCRIBE = """
import json, platform, sys, sysconfig
final = sys.version_info.releaselevel == "final"
usual = platform.python_implementation() == "CPython" and not sysconfig.get_config_var(
    "Py_GIL_DISABLED")
print(json.dumps([list(sys.version_info[:3]), getattr(sys, "_base_executable", sys.executable),
                  final and usual]))
"""


class SmokeError(Exception):
    """Something did not do what it should; the text says what."""


class Python(NamedTuple):
    """An interpreter."""

    path: Path
    version: tuple[int, int, int]

    @property
    def name(self) -> str:
        return f"Python {'.'.join(map(str, self.version))} ({self.path})"


class Target(NamedTuple):
    """An interpreter with the `newest` or the `lowest` versions of all libraries."""

    python: Python
    versions: str


class Outcome(NamedTuple):
    """Result of a target; `failure` is empty if all steps passed."""

    target: Target
    installed: dict[str, str]
    seconds: float
    failure: str


class Place(NamedTuple):
    """Where the tools of a target are, and the folder they run in."""

    bin: Path
    folder: Path
    environ: dict[str, str]

    def run(self, *command: str | Path, seconds: float = STEP_SECONDS) -> str:
        """Run a command and return all it printed.

        Raises: SmokeError: its exit status is not 0, it hangs, or it shows a traceback or a warning
          of Python's.
        """
        shown = " ".join(str(part) for part in command)
        try:
            done = subprocess.run(
                [str(part) for part in command],
                cwd=self.folder, env=self.environ, timeout=seconds, text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired as err:
            raise SmokeError(f"{shown}\nhas not ended after {seconds:.0f} s") from err
        if done.returncode:
            raise SmokeError(f"{shown}\n{done.stdout}\nexit status {done.returncode}")
        if complaint := complaints(done.stdout):
            raise SmokeError(f"{shown}\n{done.stdout}\nprinted {complaint!r}")
        return done.stdout

    def lstmjax(self, *arguments: str | Path) -> str:
        """Run one of the tools."""
        return self.run(self.bin / "lstmjax", *arguments)

    def python(self, program: str) -> str:
        """Run a program in the target's own Python."""
        return self.run(self.bin / "python", "-c", program)


def complaints(output: str) -> str:
    """The first sign in a program's output that Python complained, or ""."""
    sign = re.search(r"^Traceback .*|^Exception ignored.*|^.*:\d+: \w*Warning: .*", output, re.M)
    return sign[0] if sign else ""


def rate(pattern: str, output: str) -> float:
    """The last number that a pattern finds, in per cent.

    Raises: SmokeError: there is none.
    """
    found = re.findall(pattern + r"(\d+(?:\.\d+)?)", output)
    if not found:
        raise SmokeError(f"{output}\nno number follows {pattern!r}")
    return float(found[-1])


def expect(condition: object, text: str) -> None:
    """Raise SmokeError with a text unless a condition holds."""
    if not condition:
        raise SmokeError(text)


# The steps, in order: each builds on the files of those before it.


def import_wheel(place: Place) -> None:
    """The package that is imported is the installed one."""
    where = Path(place.python("import lstmjax; print(lstmjax.__file__)").strip())
    expect(place.bin.parent in where.parents, f"lstmjax was imported from {where}")
    for tool in re.findall(r"^  (\w+)  ", place.lstmjax("--help"), re.M):
        expect(tool in place.lstmjax(tool, "--help"), f"{tool} --help does not name the tool")


def _train(place: Place, lines: int) -> str:
    return place.lstmjax(
        "lstmtraining", "--traineddata", "examples/demo.traineddata",
        "--train_listfile", "examples/train.list", "--eval_listfile", "examples/eval.list",
        "--net_spec", NET_SPEC, "--learning_rate", "0.006", "--batch", "4", "--view",
        "--tensorboard", "--model_output", "out/mine", "--max_iterations", str(lines),
    )  # fmt: skip


def train(place: Place) -> None:
    """Training with evaluation ends with a checkpoint."""
    output = _train(place, FIRST_LINES)
    expect("Finished!" in output, f"{output}\ntraining did not finish")
    rate(r"\bCER eval=", output)
    expect((place.folder / "out" / "mine_checkpoint").stat().st_size, "the checkpoint is empty")


def resume(place: Place) -> None:
    """Train on with the command of `train`: it resumes, and the network has learned something."""
    output = _train(place, ALL_LINES)
    first = re.search(r"At iteration (\d+)/(\d+)/", output)
    expect(first and int(first[2]) > FIRST_LINES, f"{output}\ndid not go on at {FIRST_LINES}")
    expect(rate(r"\bCER eval=", output) < HIGHEST_RATE, f"{output}\nlearned nothing")


def stop_training(place: Place) -> None:
    """The checkpoint becomes a float model and an int8 model."""
    convert = (
        "lstmtraining", "--stop_training", "--continue_from", "out/mine_checkpoint",
        "--traineddata", "examples/demo.traineddata", "--model_output",
    )  # fmt: skip
    place.lstmjax(*convert, "out/float.traineddata")
    place.lstmjax(*convert, "out/int8.traineddata", "--convert_to_int")
    sizes = [
        (place.folder / f"out/{name}.traineddata").stat().st_size for name in ("float", "int8")
    ]
    expect(sizes[1] < sizes[0], f"the float model has {sizes[0]} bytes, int8 {sizes[1]}")


def evaluate(place: Place) -> None:
    """Both models read the evaluation lines about equally well; one of them in a report."""
    rates = []
    for name in ("float", "int8"):
        output = place.lstmjax(
            "lstmeval", "--model", f"out/{name}.traineddata", "--eval_listfile",
            "examples/eval.list", "--report", f"out/{name}.html,out/{name}.json",
        )  # fmt: skip
        rates.append(rate("BCER eval=", output))
        expect((place.folder / f"out/{name}.html").stat().st_size > 10_000, "the report is empty")
    expect(max(rates) < HIGHEST_RATE, f"the models' BCER is {rates}")
    expect(abs(rates[0] - rates[1]) < 5, f"the models' BCER is {rates}: too far apart")


def recognize(place: Place) -> None:
    """A model can be used from Python."""
    place.python(
        "import lstmjax; model = lstmjax.load('out/float.traineddata');"
        "print(model.recognize('examples/samples/sample-1.png'));"
        f"assert lstmjax.evaluate(model, 'examples/eval.list').cer.rate < {HIGHEST_RATE / 100}"
    )


def recipe_tesseract(place: Place) -> None:
    """Training in Tesseract's own arithmetic, which is compiled in another way."""
    output = place.lstmjax(
        "lstmtraining", "--recipe", "tesseract", "--traineddata", "examples/demo.traineddata",
        "--train_listfile", "examples/train.list", "--net_spec", NET_SPEC,
        "--model_output", "out/exact", "--max_iterations", "100",
    )  # fmt: skip
    expect(0 < rate("delta=", output) <= 100, f"{output}\nis not plausible")


def text2image(place: Place) -> None:
    """A text is drawn in a font, with a box for each character."""
    fonts = place.python("import matplotlib as m; print(m.get_data_path() + '/fonts/ttf')").strip()
    texts = sorted((place.folder / "examples" / "samples").glob("*.gt.txt"))
    (place.folder / "text.txt").write_text("".join(path.read_text() for path in texts))
    place.lstmjax(
        "text2image", "--text", "text.txt", "--outputbase", "out/page",
        "--font", "DejaVu Sans", "--fonts_dir", fonts, "--xsize", "1200", "--ysize", "600",
    )  # fmt: skip
    boxes = (place.folder / "out" / "page.box").read_text().splitlines()
    expect(len(boxes) > 40, f"only {len(boxes)} boxes were written")


def lstmf(place: Place) -> None:
    """Lines are cut out of the page, and taken from line images."""
    for name, source in (("page", "out/page.tif"), ("samples", "examples/samples")):
        output = place.lstmjax("lstmf", "--output", f"out/{name}.lstmf", source)
        written = rate(r"Wrote ", output)
        expect(written > 0, f"{output}\nno line of {source} was written")


def tesstrain(place: Place) -> None:
    """The whole way, from line images to models and a report."""
    output = place.lstmjax(
        "tesstrain", "--model_name", "tiny", "--ground_truth", "examples/samples",
        "--output_dir", "out/tiny", "--net_spec", NET_SPEC, "--max_iterations", "100",
    )  # fmt: skip
    expect("Error rates in percent" in output, f"{output}\nno error rates")
    for name in ("tessdata_best", "tessdata_fast"):
        path = place.folder / "out" / "tiny" / name / "tiny.traineddata"
        expect(path.is_file(), f"{output}\n{path} was not written")


def view(place: Place) -> None:
    """The pages of the run are served, the packaged files among them."""
    server = subprocess.Popen(
        [place.bin / "lstmjax", "view", "out/mine"],
        cwd=place.folder, env=place.environ, text=True, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert server.stderr is not None
        seen = ""
        while not (address := re.search(r"http://\S+", seen)):
            line = server.stderr.readline()
            expect(line, f"{seen}\nthe server ended")
            seen += line
        url = address[0].rstrip("/")
        page = urllib.request.urlopen(url, timeout=60).read().decode()
        needed = re.findall(r'(?:src|href)="(/[^"]+)"', page)
        expect(len(needed) >= 4, f"{page}\nnames too few files")
        for path in (*needed, "/api/runs", "/api/run/0"):
            content = urllib.request.urlopen(url + path, timeout=60).read()
            expect(len(content) > 50, f"{path} is empty")
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.communicate(timeout=60)
        finally:
            server.kill()


STEPS: tuple[Callable[[Place], None], ...] = (
    import_wheel, train, resume, stop_training, evaluate, recognize, recipe_tesseract, text2image,
    lstmf, tesstrain, view,
)  # fmt: skip


# What to install, and with what.


@functools.cache
def project() -> dict:
    """The project's own description in pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def lowest(dependencies: Iterable[str]) -> list[str]:
    """The lowest allowed version of each dependency, as pip's constraints.

    Raises: SmokeError: a dependency has no lower bound.
    """
    constraints = []
    for dependency in dependencies:
        parts = re.fullmatch(r"([\w.-]+)(?:\[[^\]]*\])?>=([\w.]+)(?:,.*)?", dependency)
        expect(parts, f"pyproject.toml has no lower bound for {dependency}")
        assert parts is not None
        constraints.append(f"{parts[1]}=={parts[2]}")
    return constraints


def first_minor() -> tuple[int, int]:
    """The oldest minor version of Python that lstmjax supports."""
    major, minor = re.findall(r"\d+", project()["requires-python"])
    return int(major), int(minor)


def candidates(environ: dict[str, str], home: Path) -> list[Path]:
    """Where Pythons may be: pyenv's, the system's, those on the PATH."""
    pyenv = [Path(environ.get("PYENV_ROOT") or home / ".pyenv"), home / ".pyenv"]
    globs = [(root / "versions", "*/bin/python3") for root in pyenv]
    folders = ["/usr/bin", "/usr/local/bin", *environ.get("PATH", "").split(os.pathsep)]
    globs += [(Path(folder), "python3.*") for folder in folders if os.path.isabs(folder)]
    found = [path for folder, pattern in globs for path in sorted(folder.glob(pattern))]
    return [path for path in dict.fromkeys(found) if re.fullmatch(r"python3(\.\d+)?", path.name)]


def describe(path: Path) -> Python | None:
    """The version of an interpreter; None unless it is a usual Python in a final version."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", DESCRIBE], capture_output=True, text=True, timeout=60, check=True
        )
        version, base, usable = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None  # pyenv leaves scripts on the PATH for versions that are not chosen
    major, minor, patch = version
    return Python(Path(os.path.realpath(base)), (major, minor, patch)) if usable else None


def can_make_venv(python: Python) -> bool:
    """Whether an interpreter has all that it needs to make virtual environments."""
    command = [python.path, "-I", "-c", "import ensurepip, venv"]
    return subprocess.run(command, capture_output=True).returncode == 0


def choose(pythons: Sequence[Python], default: Path) -> list[Target]:
    """Choose one Python of each minor version, and the oldest with the lowest versions.

    Where there are several of a minor version, one that is not the default Python, with which all
    other tests run, and of these the newest.
    """
    by_minor: dict[tuple[int, ...], Python] = {}
    for python in sorted(pythons, key=lambda each: (each.path != default, each.version)):
        by_minor[python.version[:2]] = python
    chosen = [by_minor[minor] for minor in sorted(by_minor)]
    return [Target(python, "lowest") for python in chosen[:1]] + [
        Target(python, "newest") for python in chosen
    ]


def build_wheel(folder: Path) -> Path:
    """Make the wheel, from a copy: builds leave files behind, which would get into the next one.

    Raises: SmokeError: it cannot be built, or a file of the package is not in it.
    """
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "lstmjax", source / "lstmjax", ignore=shutil.ignore_patterns("__pycache__", ".*")
    )
    files = {
        path.relative_to(source).as_posix()
        for path in (source / "lstmjax").rglob("*")
        if path.is_file()
    }
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source]
    done = subprocess.run(command, capture_output=True, text=True)
    expect(done.returncode == 0, f"the wheel cannot be built\n{done.stdout}{done.stderr}")
    (wheel,) = folder.glob("*.whl")
    missing = files - set(zipfile.ZipFile(wheel).namelist())
    expect(not missing, f"the wheel lacks {', '.join(sorted(missing))}")
    return wheel


def clean_environ(environ: dict[str, str], folder: Path) -> dict[str, str]:
    """An environment in which nothing but the installed package decides what runs.

    The cache of compiled code is a new one, so that all code is compiled by the target's versions.
    """
    ours = re.compile(r"PYTHON|VIRTUAL_ENV|LSTMJAX|JAX|XLA|NUMBA")
    kept = {name: value for name, value in environ.items() if not ours.match(name)}
    return kept | {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONNOUSERSITE": "1"}


def install(target: Target, wheel: Path, folder: Path) -> Place:
    """Make a virtual environment with the wheel in it, and a folder to run the tools in.

    Raises: SmokeError: no versions can be found that fit together, or they cannot be installed.
    """
    home = folder / "run"
    shutil.copytree(ROOT / "examples", home / "examples")
    (home / "out").mkdir()
    environ = os.environ | {"PYTHONNOUSERSITE": "1"}
    setup = Place(folder / "venv" / "bin", home, environ)
    arguments = ["-m", "pip", "install", "-q", "--disable-pip-version-check", wheel]
    if target.versions == "lowest":
        constraints = folder / "lowest.txt"
        constraints.write_text("\n".join(lowest(project()["dependencies"])) + "\n")
        arguments += ["-c", constraints]
    setup.run(target.python.path, "-I", "-m", "venv", folder / "venv")
    setup.run(setup.bin / "python", *arguments, seconds=1800)
    # pip has a cache of its own, which is kept.
    return setup._replace(environ=clean_environ(dict(os.environ), folder))


def versions(place: Place) -> dict[str, str]:
    """The installed versions of the libraries that the table shows."""
    program = (
        "import json; from importlib.metadata import version;"
        f"print(json.dumps({{name: version(name) for name in {SHOWN!r}}}))"
    )
    return json.loads(place.python(program))


def smoke(target: Target, wheel: Path, folder: Path) -> Outcome:
    """Install the wheel for a target and run all steps there, up to the first that fails."""
    started, installed, name = time.monotonic(), {}, "install"
    folder.mkdir()
    try:
        place = install(target, wheel, folder)
        installed = versions(place)
        for step in STEPS:
            name = step.__name__
            began = time.monotonic()
            step(place)
            say(f"  {name} ({time.monotonic() - began:.0f} s)")
    except (SmokeError, OSError) as err:
        say(f"  {name} FAILED: {err}")
        return Outcome(target, installed, time.monotonic() - started, f"{name} failed")
    return Outcome(target, installed, time.monotonic() - started, "")


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def table(outcomes: Sequence[Outcome]) -> str:
    """A table of the targets, their versions and results."""
    rows: list[tuple[str, ...]] = [("Python", "versions", *SHOWN, "seconds", "result")]
    for each in outcomes:
        python = ".".join(map(str, each.target.python.version))
        found = [each.installed.get(name, "?") for name in SHOWN]
        seconds = f"{each.seconds:.0f}"
        rows.append((python, each.target.versions, *found, seconds, each.failure or "ok"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def find_targets() -> tuple[list[Target], list[Python]]:
    """The targets on this machine, and the Pythons that cannot be used."""
    paths = candidates(dict(os.environ), Path.home())
    found = dict.fromkeys(python for path in paths if (python := describe(path)))
    pythons = [python for python in found if python.version[:2] >= first_minor()]
    unusable = [python for python in pythons if not can_make_venv(python)]
    default = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    usable = [python for python in pythons if python not in unusable]
    return choose(usable, default), unusable


def requested(path: Path, which: str) -> list[Target]:
    """The targets for a Python that was named."""
    python = describe(path)
    expect(python, f"{path} is not a usual Python in a final version")
    assert python is not None
    return [Target(python, name) for name in ("lowest", "newest") if which in ("", name)]


def main() -> int:
    """Test all targets, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--python", type=Path, help="interpreter; without it all at hand")
    parser.add_argument(
        "--versions", choices=("newest", "lowest"), default="", help="of the libraries"
    )
    parser.add_argument("--keep", type=Path, help="new folder for everything, not deleted")
    values = parser.parse_args()
    unusable: list[Python] = []
    try:
        if values.python:
            targets = requested(values.python, values.versions)
        else:
            targets, unusable = find_targets()
            if len({target.python.version[:2] for target in targets}) == 1:
                say("smoke: only one minor version of Python is at hand; others are not tested")
            targets = [each for each in targets if values.versions in ("", each.versions)]
    except SmokeError as err:
        parser.error(str(err))
    for python in unusable:
        say(f"smoke: passed over, cannot make virtual environments: {python.name}")
    with tempfile.TemporaryDirectory(prefix="lstmjax-smoke-") as temporary:
        folder = values.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        outcomes = run_all(targets, folder.resolve())
    failed = sum(bool(each.failure) for each in outcomes)
    print(f"\n{table(outcomes)}\n")
    skipped = f", {len(unusable)} skipped" if unusable else ""
    print(f"smoke: {len(outcomes) - failed} passed, {failed} failed{skipped}")
    return int(failed > 0 or not outcomes)


def run_all(targets: Sequence[Target], folder: Path) -> list[Outcome]:
    """Build the wheel and test every target with it."""
    wheel = build_wheel(folder)
    outcomes = []
    for target in targets:
        say(f"smoke: {target.python.name}, {target.versions} versions")
        name = "-".join((*map(str, target.python.version), target.versions))
        outcomes.append(smoke(target, wheel, folder / name))
        shutil.rmtree(folder / name / "venv", ignore_errors=True)
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
