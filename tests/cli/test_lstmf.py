import subprocess
import sys

import helpers
import pytest
from pages import page_samples

from lstmjax.cli import lstmf as tool
from lstmjax.errors import UsageError
from lstmjax.formats import lstmf


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    for i in range(3):
        page_samples.write_line(tmp_path / "d" / f"{i}.png", f"line {i}", seed=i)
    return tmp_path


def run(capsys, *argv: object) -> tuple[int, str]:
    status = tool.main([str(arg) for arg in argv])
    return status, capsys.readouterr().err


def test_one_file_for_all(capsys):
    status, err = run(capsys, "--output", "all.lstmf", "d")
    assert (status, err) == (0, "Wrote 3 lines to all.lstmf\n")
    texts = sorted(page.transcription for page in lstmf.load("all.lstmf"))
    assert texts == ["line 0", "line 1", "line 2"]


def test_a_file_beside_each_input(capsys, folder):
    assert run(capsys, "d/0.png", "d/2.gt.txt") == (0, "Wrote 2 lines to 2 files\n")
    assert sorted(path.name for path in folder.glob("d/*.lstmf")) == ["0.lstmf", "2.lstmf"]


def test_what_fails_is_named_and_counted(capsys, folder):
    (folder / "d" / "1.gt.txt").write_text("")
    (folder / "d" / "x.png").write_bytes(b"")
    status, err = run(capsys, "--output_dir=out", "d", "none.png")
    assert status == 1
    assert err.splitlines() == [
        "none.png: there is no such file",
        "d/1.png: its text d/1.gt.txt is empty; write what the image says into it",
        "1 images without a text were passed over",
        "Wrote 2 lines to 2 files; 2 of 4 inputs failed; 1 problems, named above",
    ]


def test_nothing_usable(capsys):
    status, err = run(capsys, "--output", "all.lstmf", "none.png")
    assert status == 1
    assert err.endswith("Wrote nothing; 1 of 1 inputs failed\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--psm", "6"], "name images, XML files, folders or list files"),
        (["--output=a", "--output_dir=b", "d"], "--output is one file for all lines"),
        (["--source=pdf", "d"], "--source is 'pdf', expected auto, box, gt or xml"),
        (["--psm=2", "d"], "--psm is 2"),
        (["--gt_boxes=x", "d"], "--gt_boxes is 'x'"),
        (["--background=x", "d"], "--background is 'x'"),
        (["--workers=-1", "d"], "--workers is -1"),
        (["d", "--psm=6"], "--psm=6 comes after a path"),
        (["--psm=6", "--as_tesseract", "d"], "--as_tesseract goes in front"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_usage(argv, message):
    with pytest.raises(UsageError, match=message):
        tool.main(argv)


def test_as_tesseract_starts_without_heavy_libraries(folder):
    page_samples.write_page(folder / "x.png")
    code = (
        "import sys; from lstmjax.cli.main import run;"
        "run(['lstmf', '--as_tesseract', 'x.png', 'x', '--psm', '13', 'lstm.train']);"
        "print({'jax', 'numba', 'absl', 'multiprocessing'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert len(lstmf.load("x.lstmf")) == 2


def test_as_tesseract_from_the_shell(folder):
    page_samples.write_page(folder / "x.png", "x 900 0 990 9 0\n")
    done = helpers.run_lstmjax("lstmf", "--as_tesseract", "x.png", "x", "lstm.train")
    assert done.returncode == 1
    assert done.stderr == (
        "No block overlapping textline: x\nFailed to read pages from x.png\n"
        "Error during processing.\n"
    )
