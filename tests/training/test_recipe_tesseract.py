"""Recipe tesseract beside the real lstmtraining: the same text, the same digits."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from helpers import run_lstmjax, run_real, testdata
from training.crafted import diverging, stalled
from training.small import EXAMPLES, flags
from training.starts import make_base, start

from lstmjax.data.lines import build_index
from lstmjax.data.listing import read_list
from lstmjax.formats import checkpoint, lstmf
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.training.tesseract.lines import numbered

ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("JAX_NUMPY_")}
ENVIRON["LSTMJAX_NO_REEXEC"] = "1"


def ours(arguments, **kwargs):
    return run_lstmjax(*arguments, "--recipe", "tesseract", env=ENVIRON, **kwargs)


def real(arguments):
    return run_real(arguments[0], *arguments[1:], cwd=EXAMPLES)


def both(tmp_path, *extra, start=b"", **kwargs):
    """The logs of both programs, from the same checkpoint if there is one."""
    logs = []
    for name, run in (("real", real), ("ours", ours)):
        output = tmp_path / name / "m"
        output.parent.mkdir()
        if start:
            output.with_name("m_checkpoint").write_bytes(start)
        result = run(flags(output, *extra, **kwargs))
        assert result.returncode == 0, result.stderr
        lines = result.stderr.replace(str(output), "OUT").replace(f"{EXAMPLES}/", "").split("\n")
        lines = [line for line in lines if not line.startswith(("Loaded ", "  Debug interval"))]
        logs.append(lines[: next(i for i, x in enumerate(lines) if x.startswith("Finished")) + 1])
    return logs


def rounded(lines):
    """Percentages of the search for learning rates to three digits; they are float32 sums."""

    def short(match):
        return f"->{float(match[1]):.3g}%"

    return [re.sub(r"->([\d.e+-]+)%", short, line) for line in lines]


def read(path) -> TrainerRecord:
    record = checkpoint.unpack(path.read_bytes())
    assert isinstance(record, TrainerRecord)
    return record


@pytest.fixture(scope="module")
def early_and_late(tmp_path_factory):
    """Our checkpoints after 100 and 200 lines."""
    output = tmp_path_factory.mktemp("base") / "m"
    records = []
    for iterations in (100, 200):
        result = ours(flags(output, iterations=iterations))
        assert result.returncode == 0, result.stderr
        assert result.stderr.splitlines()[-1].startswith("Finished! ")  # as the original's log
        records.append(read(output.with_name("m_checkpoint")))
        best = output.with_name("m_best.checkpoint").read_bytes()
        assert best == records[-1].best_trainer
    return records


def usable(lines):
    """Without what we say in addition: the table of skipped lines, and what is not known."""
    ours_alone = (
        r"Skipped \d+ lines|Characters that the traineddata lacks|  +\d+  \S|"
        r"OUT_checkpoint: there is no record of the characters"
    )
    return [line for line in lines if not re.match(ours_alone, line)]


@pytest.mark.reference
def test_log_is_that_of_lstmtraining(tmp_path):
    theirs, mine = both(tmp_path, iterations=200)
    assert usable(mine) == theirs


def has_avx512():
    """Whether the real program adds products up in sixteen lanes here, as ours does everywhere."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            return " avx512f " in info.read()
    except OSError:
        return False


@pytest.mark.reference
@pytest.mark.skipif(not has_avx512(), reason="the real program adds up in another order here")
@pytest.mark.parametrize(
    ("network", "extra"),
    [
        ("[1,12,0,1 Ct3,3,4 Mp3,2 Lfys17 Lbx20 O1c1]", ()),
        pytest.param("[1,12,0,1 S3,2 L2xy9 Ct1,1,7 S4,1 Lrx20 O1c1]", (), marks=pytest.mark.slow),
        pytest.param("[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 LE20]", (), marks=pytest.mark.slow),
        pytest.param("[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 LS20]", (), marks=pytest.mark.slow),
        pytest.param(
            "[1,12,0,1 Cr3,3,4 Mp3,2 Lfys8 Cs1,1,9 O1s1]",
            ("--net_mode", "0"),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["lstm", "quad", "encoded", "softmax", "momentum"],
)
def test_checkpoints_are_equal_bit_for_bit(tmp_path, network, extra):
    both(tmp_path, "--net_spec", network, *extra, iterations=120)
    theirs, mine = (tmp_path / name / "m_checkpoint" for name in ("real", "ours"))
    assert mine.read_bytes() == theirs.read_bytes()


@pytest.mark.reference
def test_stall_starts_a_subtrainer_that_wins(tmp_path, early_and_late):
    theirs, mine = both(tmp_path, start=stalled(*early_and_late), iterations=300)
    text = "\n".join(mine)
    assert " Trial sub_trainer_ from iteration 100" in text
    assert " Sub trainer wins at iteration 300" in text
    assert rounded(usable(mine)) == rounded(theirs)


@pytest.mark.reference
@pytest.mark.parametrize(
    "net_mode", [192, pytest.param(0, marks=pytest.mark.slow)], ids=["rate-per-layer", "one-rate"]
)
def test_divergence_goes_back_with_lower_rates(tmp_path, early_and_late, net_mode):
    early, late = early_and_late
    if not net_mode:  # a momentum run from the start
        for iterations in (100, 200):
            output = tmp_path / "base" / "m"
            done = ours(flags(output, "--net_mode", 0, iterations=iterations))
            assert done.returncode == 0, done.stderr
            early, late = late, read(output.with_name("m_checkpoint"))
    theirs, mine = both(tmp_path, start=diverging(early, late), iterations=300)
    text = "\n".join(mine)
    assert f"Divergence! Reverted to iteration {early.learning_iteration}/100/100" in text
    assert "Reduced learning rate" in text
    assert rounded(usable(mine)) == rounded(theirs)


@pytest.mark.reference
@pytest.mark.parametrize("head", ["O1c1", "O1s1"])
def test_texts_about_every_line(tmp_path, head):
    network = f"[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lfx12 {head}]"
    theirs, mine = both(tmp_path, "--debug_interval", -1, "--net_spec", network, iterations=6)
    assert any("GROUND  TRUTH" in line for line in mine)
    assert usable(mine) == theirs


@pytest.mark.parametrize(("recipe", "stage"), [("tesseract", 1), ("fast", 0)])
def test_stage_of_a_checkpoint_lasts(tmp_path, recipe, stage):
    base, record = make_base(tmp_path)
    checkpoint.save(replace(record, training_stage=1), base)
    (tmp_path / "run").mkdir()
    found, _ = start(tmp_path / "run", recipe, continue_from=base)
    assert found.snapshot.progress.stage == stage
    assert found.snapshot.progress.training_iteration == 0


def test_line_of_a_nameless_image_has_its_place_in_the_file(tmp_path):
    def nameless(number, page):
        return replace(page, name="", page_number=77) if number == 3 else page

    index = build_index(read_list(str(changed_lines(tmp_path, nameless))))
    assert numbered(index[3]).page_number == 3
    assert numbered(index[4]).page_number == index[4].page_number


def changed_lines(tmp_path, change):
    """A list of one file, whose lines went through `change(number, page)`."""
    path = tmp_path / "changed.lstmf"
    source = next(iter(sorted((EXAMPLES / "train").glob("*.lstmf"))))
    lstmf.save(tuple(change(i, page) for i, page in enumerate(lstmf.load(source)[:12])), path)
    listing = tmp_path / "changed.list"
    listing.write_text(f"{path}\n")
    return listing


@pytest.mark.reference
@pytest.mark.parametrize(
    "width", [pytest.param(0, marks=pytest.mark.slow), 400], ids=["free-width", "padded-width"]
)
def test_lines_without_boxes_are_tried_inverted(tmp_path, width):
    def without_boxes(number, page):
        return replace(page, boxes=(), box_texts=())

    listing = changed_lines(tmp_path, without_boxes)
    network = f"[1,12,{width},1 Ct3,3,4 Mp3,2 Lfys8 Lfx12 O1c1]"
    theirs, mine = both(tmp_path, "--net_spec", network, iterations=30, train_list=listing)
    assert usable(mine) == theirs


@pytest.mark.reference
def test_unusable_lines_are_named_at_every_visit(tmp_path):
    def some_bad(number, page):
        texts = {1: "a \u6f22 b", 3: "", 5: "  ", 7: "x" * 400}
        return replace(page, transcription=texts.get(number, page.transcription))

    listing = changed_lines(tmp_path, some_bad)
    theirs, mine = both(tmp_path, iterations=20, train_list=listing)
    assert usable(mine) == theirs
    assert sum("Empty truth string!" in line for line in mine) >= 2
    assert any("too long" in line for line in mine)  # the table at the end


@pytest.mark.slow
def test_run_ended_at_a_report_goes_on_the_same(tmp_path):
    whole = ours(flags(tmp_path / "a", iterations=200))
    first = ours(flags(tmp_path / "b", iterations=100))
    second = ours(flags(tmp_path / "b", iterations=200))
    assert first.returncode == second.returncode == 0
    last = [line for line in whole.stderr.split("\n") if "/200/200," in line]
    assert last
    assert last[0].split(",  ")[0] in second.stderr
    one, two = read(tmp_path / "a_checkpoint"), read(tmp_path / "b_checkpoint")
    for a, b in zip(one.recognizer.network.walk(), two.recognizer.network.walk(), strict=True):
        for x, y in zip(a.matrices, b.matrices, strict=True):
            np.testing.assert_array_equal(x.weights, y.weights)


@pytest.mark.parametrize("recipe", ["tesseract", "fast"])
def test_file_that_disappears_is_named_and_the_run_goes_on(tmp_path, recipe):
    files = sorted((EXAMPLES / "train").glob("*.lstmf"))[:2]
    gone = tmp_path / "gone.lstmf"
    gone.write_bytes(files[0].read_bytes())
    listing = tmp_path / "two.list"
    listing.write_text(f"{gone}\n{files[1]}\n")
    script = (
        "import os, sys\n"
        "from lstmjax.data import stream\n"
        "from lstmjax.cli import lstmtraining\n"
        "fit = stream.LineStream._fit_buckets\n"
        "def fit_and_remove(self, multiple):\n"
        "    found = fit(self, multiple)\n"
        "    os.remove(sys.argv[1])\n"
        "    return found\n"
        "stream.LineStream._fit_buckets = fit_and_remove\n"
        "sys.exit(lstmtraining.main(sys.argv[2:]))\n"
    )
    arguments = flags(tmp_path / "m", "--recipe", recipe, iterations=12, train_list=listing)
    command = [sys.executable, "-c", script, str(gone), *map(str, arguments[1:])]
    done = subprocess.run(command, env=ENVIRON, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert str(gone) in done.stderr
    assert "Finished!" in done.stderr


def test_fast_recipe_prints_texts_about_lines_too(tmp_path):
    result = run_lstmjax(*flags(tmp_path / "m", "--debug_interval", 4, iterations=8), env=ENVIRON)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("GROUND  TRUTH") == 8
    assert result.stderr.count("Mean rms=") >= 8
    assert result.stderr.count("TRAINING activation path for truth string") == 2


def test_evaluation_is_told_at_the_next_extreme(tmp_path, early_and_late):
    """A best model kept for testing is tested at a late worst; the text comes one later."""
    early, late = early_and_late
    path = tmp_path / "m_checkpoint"
    record = checkpoint.unpack(diverging(early, late))
    assert isinstance(record, TrainerRecord)
    path.write_bytes(checkpoint.pack(replace(record, best_error_rate=76.0)))
    result = ours(flags(tmp_path / "m", "--eval_listfile", EXAMPLES / "eval.list", iterations=300))
    assert result.returncode == 0, result.stderr
    kept = read(path)
    assert kept.worst_model_data
    assert not kept.best_model_data


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "extra", "iterations", "below"),
    [
        ("[1,1,0,32 Lbx100 O1c1]", ("--net_mode", 0, "--learning_rate", "5e-4"), 600, 75),
        ("[1,1,0,32 Lfx100 O1c1]", ("--net_mode", 0, "--learning_rate", "5e-4"), 1200, 86),
    ],
    ids=["BidiTest", "BasicTest 1D-lstm"],
)
def test_thresholds_of_tesseracts_own_tests(tmp_path, network, extra, iterations, below):
    """All of them: tools/checks/compare_training.py --unit."""
    root = testdata("tesseract-test")
    listing = tmp_path / "train.list"
    listing.write_text(f"{root / 'eng.Arial.exp0.lstmf'}\n")
    result = ours(
        [
            "lstmtraining", "--traineddata", root / "eng.starter.traineddata", "--net_spec",
            network, "--model_output", tmp_path / "m", "--train_listfile", listing, "--momentum",
            "0.9", "--sequential_training", "--max_iterations", iterations, *extra,
        ]
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    record = read(tmp_path / "m_checkpoint")
    last = (np.arange(iterations - 100, iterations)) % 1000
    assert 100 * record.error_buffers[checkpoint.CHAR][last].mean() < below


def test_numbers_without_meaning_end_a_run_that_has_no_best(tmp_path):
    result = ours(flags(tmp_path / "m", "--net_mode", 0, "--learning_rate", "1e38", iterations=100))
    assert result.returncode == 1
    assert "update left out, its numbers are infinite or undefined" in result.stderr
    assert "try a lower --learning_rate" in result.stderr
    assert not list(tmp_path.glob("m_*.checkpoint"))
