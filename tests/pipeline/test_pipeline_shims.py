"""Executables that replace Tesseract's tools: writing them, calling them, handing calls over."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import helpers
import pytest

from lstmjax.errors import LstmjaxError, UsageError
from lstmjax.pipeline import shims


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("shims") / "with a space"
    shims.write_shims(target)
    return target


def call(folder: Path, *command: object, path: str = "", **kwargs):
    """Run a command with the shims first in PATH, without the real tools unless `path` has them."""
    search = os.pathsep.join(filter(None, [str(folder), path]))
    env = {name: text for name, text in os.environ.items() if not name.startswith("JAX_NUMPY_")}
    return subprocess.run(
        [*map(str, command)], env={**env, "PATH": search}, capture_output=True, text=True,
        timeout=120, **kwargs,
    )  # fmt: skip


def stand_in(folder: Path, name: str, text: str) -> Path:
    """A program that prints its name and arguments."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{text} $*"\nexit 3\n')
    path.chmod(0o755)
    return path


def test_every_tool_gets_an_executable(folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted(shims.NAMES)
    for path in folder.iterdir():
        assert shims.is_shim(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o755
        assert sys.executable in path.read_text()


def test_they_are_replaced_by_a_second_call(tmp_path):
    (first, *_) = shims.write_shims(tmp_path)
    first.write_bytes(first.read_bytes() + b"# older\n")
    shims.write_shims(tmp_path)
    assert b"older" not in first.read_bytes()


@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_files_of_others_are_left_alone(tmp_path, kind):
    taken = tmp_path / "lstmeval"
    if kind == "file":
        taken.write_text("#!/bin/sh\necho mine\n")
    elif kind == "folder":
        taken.mkdir()
    else:
        taken.symlink_to("nowhere")
    with pytest.raises(LstmjaxError, match=r"lstmeval; nothing is written"):
        shims.write_shims(tmp_path)
    assert list(tmp_path.iterdir()) == [taken]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LstmjaxError, match="file/below"):
        shims.write_shims(tmp_path / "file" / "below")


def test_a_tool_is_found_and_run(folder, tmp_path):
    # A module in the caller's folder must not stand in for one of ours.
    (tmp_path / "absl.py").write_text("raise SystemExit('wrong module')\n")
    program = shutil.which("lstmeval", path=str(folder))
    assert program
    done = call(folder, program, "--version", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("5.3.0\n lstmjax")


def test_exit_status_and_arguments_pass_through(folder):
    done = call(folder, folder / "combine_tessdata", "-d", "no such file")
    assert done.returncode != 0
    assert "no such file" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments", [["--list-langs"], ["--version"], ["page.png", "-", "-l", "eng"], []], ids=str
)
def test_other_calls_of_tesseract_go_to_the_real_one(folder, tmp_path, arguments):
    other = tmp_path / "older"
    shims.write_shims(other)  # another set of ours must not be taken for the real one
    stand_in(tmp_path / "real", "tesseract", "real")
    path = os.pathsep.join([str(other), str(tmp_path / "real")])
    done = call(folder, folder / "tesseract", *arguments, path=path)
    assert (done.returncode, done.stdout) == (3, f"real {' '.join(arguments)}\n")


def test_without_a_real_tesseract_it_is_said(folder):
    done = call(folder, folder / "tesseract", "--list-langs")
    assert done.returncode == 1
    assert "`tesseract --list-langs` needs the program tesseract" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a.png", "a", "--psm", "13", "lstm.train"], ["a.png", "a", "--psm", "13", "lstm.train"]),
        (["a.png", "a", "lstm.train", ""], ["a.png", "a", "lstm.train"]),
        (["a.png", "a"], None),
        ([], None),
    ],
    ids=["Makefile", "tesstrain.sh without config", "reading", "nothing"],
)
def test_training_calls_are_recognised(arguments, expected):
    assert shims.training_call(arguments) == expected


def test_a_config_may_choose_the_segmentation_mode(tmp_path):
    config = tmp_path / "kor.config"
    config.write_text("load_system_dawg F\ntessedit_pageseg_mode 6\n")
    assert shims.training_call(["a.tif", "a", "lstm.train", str(config)]) == [
        "a.tif", "a", "--psm", "6", "lstm.train",
    ]  # fmt: skip
    assert shims.training_call(["a", "a", "--psm", "7", "lstm.train", str(config)]) == [
        "a", "a", "--psm", "7", "lstm.train",
    ]  # fmt: skip
    with pytest.raises(UsageError, match=r"nowhere\.config after lstm\.train cannot be read"):
        shims.training_call(["a.tif", "a", "lstm.train", "nowhere.config"])


def line_image(folder: Path) -> Path:
    from PIL import Image, ImageDraw

    image = Image.new("L", (200, 40), 255)
    ImageDraw.Draw(image).text((10, 10), "some words", fill=0)
    image.save(folder / "a.png")
    boxes = "".join(f"{char} 0 0 200 40 0\n" for char in "some words")
    (folder / "a.box").write_text(boxes + "\t 0 0 200 40 0\n")
    return folder / "a.png"


def test_training_data_is_made_here(folder, tmp_path):
    line_image(tmp_path)
    done = call(folder, folder / "tesseract", "a.png", "a", "--psm", "13", "lstm.train",
                cwd=tmp_path)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "a.lstmf").stat().st_size > 100


@pytest.mark.reference
def test_training_data_is_that_of_the_real_tool(folder, tmp_path):
    for name in ("ours", "real"):
        (tmp_path / name).mkdir()
        line_image(tmp_path / name)
    arguments = ("a.png", "a", "--psm", "13", "lstm.train")
    call(folder, folder / "tesseract", *arguments, cwd=tmp_path / "ours")
    done = helpers.run_real("tesseract", *arguments, cwd=tmp_path / "real")
    if "Error opening data file" in done.stderr:
        pytest.skip("the real tesseract has no language data")
    ours, real = ((tmp_path / name / "a.lstmf").read_bytes() for name in ("ours", "real"))
    assert ours == real


def test_whether_the_folder_comes_first(folder, tmp_path):
    assert shims.folder_is_first(folder, f"{folder}{os.pathsep}{tmp_path}")
    assert not shims.folder_is_first(folder, str(tmp_path))
    stand_in(tmp_path, "lstmtraining", "real")
    assert not shims.folder_is_first(folder, f"{tmp_path}{os.pathsep}{folder}")
