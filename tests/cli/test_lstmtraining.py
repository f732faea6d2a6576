"""Mistakes of users lead to a message and exit status 1, never to a traceback."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from data.documents import page, png
from helpers import run_lstmjax
from training.small import EXAMPLES, NET_SPEC, flags

from lstmjax.formats import checkpoint, lstm, lstmf, traineddata
from lstmjax.nn.quantize import to_int

ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("JAX_NUMPY_")}
ENVIRON["LSTMJAX_NO_REEXEC"] = "1"


FLAGS_OF_THE_ORIGINAL = """
debug_interval net_mode perfect_sample_delay target_error_rate weight_range learning_rate
reset_learning_rate momentum adam_beta max_image_MB continue_from model_output train_listfile
eval_listfile stop_training convert_to_int sequential_training append_index debug_network
max_iterations traineddata old_traineddata randomly_rotate debug_float
"""


def run(*arguments):
    return run_lstmjax(*arguments, env=ENVIRON)


def refused(*arguments):
    """The message of a command that must fail."""
    result = run(*arguments)
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


def replaced(arguments, flag, value):
    arguments = list(arguments)
    arguments[arguments.index(flag) + 1] = value
    return arguments


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    ("flag", "content", "message"),
    [
        ("--train_listfile", None, "cannot be read"),
        ("--train_listfile", b"", "names no files"),
        ("--train_listfile", b"\r\n\r\n", "names no files"),
        ("--train_listfile", b"missing.lstmf\n", "none of 1 documents can be used"),
        ("--train_listfile", "lstmf", "this is an lstmf file, not a list"),
        ("--traineddata", None, "cannot be read"),
        ("--traineddata", b"", "byte 0x0"),
        ("--traineddata", b"\xff" * 64, "not a traineddata file"),
        ("--traineddata", "truncated", "truncated or wrong length"),
    ],
)
def test_bad_files_are_named(tmp_path, flag, content, message):
    name = tmp_path / "given"
    if content == "lstmf":
        shutil.copy(EXAMPLES / "train" / "DejaVuSans.lstmf", name)
    elif content == "truncated":
        write(name, (EXAMPLES / "demo.traineddata").read_bytes()[:3000])
    elif content is not None:
        write(name, content)
    text = refused(*replaced(flags(tmp_path / "m"), flag, name))
    assert message in text
    assert "given" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--traineddata", "x"], "--train_listfile"),
        (["--train_listfile", "x"], "Must provide a --traineddata"),
        (["--traineddata", "x", "--model_output", ""], "Must provide a --model_output"),
        (["--no_such_flag"], "Non-existent flag --no_such_flag"),
        (["--batch", "0"], "batch"),
        (["--momentum", "1.5", "--traineddata", "x"], "below 1"),
        (["--net_mode", "7", "--traineddata", "x"], "net_mode"),
        (["--convert_to_int", "--traineddata", "x"], "needs --stop_training"),
        (["--stop_training", "--traineddata", "x"], "--continue_from"),
        (["--reset_learning_rate", "--traineddata", "x"], "needs --continue_from"),
        (["--append_index", "3", "--traineddata", "x"], "Must set --continue_from for appending!"),
        (["--append_index", "3", "--continue_from", "x", "--traineddata", "x"], "needs --net_spec"),
        (["--old_traineddata", "x", "--traineddata", "x"], "--old_traineddata needs --continue_"),
        (["--allow_int_start", "--traineddata", "x"], "--allow_int_start needs --continue_from"),
        (["--freeze_below", "-1"], "freeze_below"),
        (
            [
                "--stop_training",
                "--continue_from",
                "x",
                "--freeze_below",
                "2",
                "--traineddata",
                "x",
            ],
            "--freeze_below is for training",
        ),
        (["--recipe", "slow"], "recipe"),
        (["--recipe", "tesseract", "--seed", "3", "--traineddata", "x"], "has no --seed"),
        (["--recipe", "tesseract", "--augment", "1", "--traineddata", "x"], "leave out --augment"),
        (["--augment", "noize=1", "--traineddata", "x"], "'noize=1' is none of its kinds"),
        (["--traineddata", "x", "stray"], "stray"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_flags_that_cannot_be_honoured_are_refused(arguments, message):
    assert message in refused("lstmtraining", *arguments)


def test_net_spec_error_points_at_the_column(tmp_path):
    text = refused(*replaced(flags(tmp_path / "m"), "--net_spec", "[1,36,0,1 Ct3,3,16 Xq3 O1c1]"))
    spec, caret = text.splitlines()[-2:]
    assert spec[caret.index("^")] == "X"


def test_nothing_to_start_from(tmp_path):
    text = refused(*replaced(flags(tmp_path / "m"), "--net_spec", ""))
    assert "give --net_spec" in text


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX device")
def test_output_that_cannot_be_written(tmp_path):
    write(tmp_path / "file", "in the way")
    text = refused(*flags(tmp_path / "file" / "m"))
    assert "model output cannot be written" in text


def model(tmp_path, change) -> Path:
    """A checkpoint of a network for other characters, or an int8 model, made by a run."""
    result = run(*flags(tmp_path / "base", iterations=4))
    assert result.returncode == 0, result.stderr
    record = checkpoint.unpack((tmp_path / "base_checkpoint").read_bytes())
    return write(tmp_path / "given", change(record.recognizer))


def test_int8_model_cannot_be_trained(tmp_path):
    from dataclasses import replace

    def as_int(recognizer):
        network = to_int(recognizer.network)
        return lstm.pack(replace(recognizer, network=network, training_flags=65))

    path = model(tmp_path, as_int)
    text = refused(*flags(tmp_path / "m", "--continue_from", path))
    assert "is an integer (fast) model, cannot continue training" in text


@pytest.mark.parametrize("cut", [1, 1000, 30000], ids=str)
def test_truncated_checkpoint_is_refused(tmp_path, cut):
    run(*flags(tmp_path / "base", iterations=4))
    data = (tmp_path / "base_checkpoint").read_bytes()
    path = write(tmp_path / "given", data[:-cut])
    assert "given" in refused(*flags(tmp_path / "m", "--continue_from", path))


def test_damaged_own_checkpoints_are_not_overwritten(tmp_path):
    path = write(tmp_path / "m_checkpoint", b"damaged")
    assert "move them away" in refused(*flags(tmp_path / "m"))
    assert path.read_bytes() == b"damaged"


def test_checkpoint_of_another_network_is_not_continued(tmp_path):
    assert run(*flags(tmp_path / "m", iterations=4)).returncode == 0
    other = replaced(flags(tmp_path / "m"), "--net_spec", NET_SPEC.replace("Lfx12", "Lfx13"))
    assert "use another --model_output" in refused(*other)


def test_checkpoint_of_another_character_set_is_not_continued(tmp_path):
    assert run(*flags(tmp_path / "m", iterations=4)).returncode == 0
    trained = traineddata.load(EXAMPLES / "demo.traineddata")
    from lstmjax.formats import recoder, unicharset

    table = unicharset.unpack(trained.components["lstm-unicharset"])
    codes = recoder.unpack(trained.components["lstm-recoder"]).codes
    smaller = trained.with_component(
        "lstm-unicharset", unicharset.pack(unicharset.UnicharsetTable(table.rows[:-1]))
    ).with_component("lstm-recoder", recoder.pack(recoder.Recoder(_without_last(codes))))
    traineddata.save(smaller, tmp_path / "other.traineddata")
    text = refused(
        *replaced(flags(tmp_path / "m"), "--traineddata", tmp_path / "other.traineddata")
    )
    assert "trained with another character set: row 76 is " in text
    assert "but missing in" in text


def _without_last(codes):
    """The codes without the last unichar; the null has the last code, so it moves down."""
    null = max(max(c) for c in codes)
    return tuple(tuple(null - 1 if k == null else k for k in c) for c in codes[:-1])


def test_bad_lines_are_named_counted_and_do_not_stop_a_run(tmp_path):
    good = lstmf.load(EXAMPLES / "train" / "DejaVuSans.lstmf")[:12]
    bad = [
        page("snow ☃ man", png(300, 40)),
        page("", png(300, 40)),
        page("   ", png(300, 40)),
        page("far too much text for so narrow an image", png(50, 40)),
        page("tiny", png(2, 40)),
        page("wide", png(9000, 40)),
        page("broken", png(300, 40)[:100] + b"\0" * 50),
        page("blank", _blank()),
    ]
    lstmf.save((*bad, *good), tmp_path / "a.lstmf")
    train_list = write(
        tmp_path / "l", b"\xef\xbb\xbf" + f"{tmp_path / 'a.lstmf'}\r\nnone\r\n".encode()
    )
    result = run(*flags(tmp_path / "m", iterations=40, train_list=train_list))
    assert result.returncode == 0, result.stderr
    for text in ("U+2603 SNOWMAN", "empty text", "blank text", "time steps", "page 4", "page 5"):
        assert text in result.stderr, text
    assert "Skipped 7 lines:" in result.stderr
    assert "1  '☃' U+2603 SNOWMAN, lines: 1" in result.stderr
    assert "none: skipped:" in result.stderr


def _blank():
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 300), 255, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_no_usable_line_stops_the_run(tmp_path):
    lstmf.save((page("☃", png(300, 40)), page("", png(300, 40))), tmp_path / "a.lstmf")
    train_list = write(tmp_path / "l", f"{tmp_path / 'a.lstmf'}\n")
    text = refused(*flags(tmp_path / "m", train_list=train_list))
    assert "none of the 2 lines can be used" in text
    assert "SNOWMAN" in text


def test_help_lists_every_flag_of_the_original():
    result = run("lstmtraining", "--help")
    for name in FLAGS_OF_THE_ORIGINAL.split():
        assert f"--{name}  " in result.stdout
