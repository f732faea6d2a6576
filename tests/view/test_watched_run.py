"""What a run leaves behind for pages, pictures and TensorBoard."""

import io
import json
import struct

import pytest
from helpers import run_lstmjax
from PIL import Image
from tensorboardX.proto.event_pb2 import Event
from training.small import EXAMPLES, flags
from view.conftest import ENVIRON

from lstmjax.view.recorder import Guarded


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def view_of(output):
    return output.with_name("m.view")


def test_layers_at_every_report(watched):
    found = records(view_of(watched) / "layers.jsonl")
    assert [record["iteration"] for record in found] == [112, 200]
    assert list(found[0]["layers"]) == ["ConvNL", "Lfys8", "Lfx12", "Output"]
    for figures in found[1]["layers"].values():
        assert figures["weights"] > 0
        assert figures["gradient"] > 0
        assert 0 < figures["change"] < 10
        assert figures["rate"] > 0


def test_sample_lines_with_their_pictures(watched):
    for record in records(view_of(watched) / "samples.jsonl"):
        for line in record["lines"]:
            picture = view_of(watched) / "lines" / f"{line['line']}.png"
            with Image.open(picture) as image:
                assert image.size == (line["width"], line["height"])
            assert "".join(part[1] for part in line["parts"]) == line["truth"]
            assert "".join(part[2] for part in line["parts"]) == line["reading"]
            assert "".join(place[0] for place in line["places"]) == line["reading"]
            for _, left, right, sure in line["places"]:
                assert 0 <= left <= right <= line["width"]
                assert 0 <= sure <= 1


def test_description_and_lock(watched):
    about = json.loads((view_of(watched) / "run.json").read_text())
    assert about["end"] == 200
    assert about["train_lines"] == 400
    assert not watched.with_name("m.lock").exists()


def test_pictures_of_every_window(watched):
    folder = view_of(watched) / "debug"
    assert sorted(each.name for each in folder.iterdir()) == ["0", "100"]
    about = json.loads((folder / "100" / "line.json").read_text())
    titles = [picture["title"] for picture in about["pictures"]]
    layers = ["Input", "Convolve", "ConvNL", "Maxpool", "Lfys8", "Lfx12"]
    assert titles == [
        "LSTMForward", "LSTMTraining", "CTC Outputs", "CTC Targets", "Output", "Output-back",
        *(title for layer in layers for title in (layer, f"{layer}-back")),
    ]  # fmt: skip
    for picture in about["pictures"]:
        content = (folder / "100" / picture["file"]).read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            assert min(image.size) > 0
        assert len(content) < 150_000


def events(folder):
    """The records of TensorBoard's files: length, its checksum, content, its checksum."""
    (path,) = folder.iterdir()
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        yield Event.FromString(data[12 : 12 + length])
        data = data[16 + length :]


def test_tensorboard_has_figures_layers_and_pictures(watched):
    scalars, pictures = {}, set()
    for event in events(watched.with_name("m.tensorboard")):
        for value in event.summary.value:
            if value.HasField("image"):
                pictures.add(value.tag)
            elif value.HasField("simple_value"):
                scalars[value.tag, event.step] = value.simple_value
    for record in records(watched.with_name("m.metrics.jsonl")):
        key = f"{record['event']}/bcer", record["training_iteration"]
        assert scalars[key] == pytest.approx(record["bcer"])
    assert ("gradient/Output", 200) in scalars
    assert {"line", "debug/LSTMForward", "debug/ConvNL-back"} <= pictures


@pytest.mark.slow
def test_recipe_tesseract_is_watched_too(tmp_path):
    args = flags(tmp_path / "m", "--recipe=tesseract", "--debug_interval", 50, "--view")
    result = run_lstmjax(*args, env=ENVIRON)
    assert result.returncode == 0, result.stderr
    assert "training goes on" not in result.stderr
    found = records(tmp_path / "m.view" / "layers.jsonl")
    assert [record["iteration"] for record in found] == [100, 200]
    assert found[1]["layers"]["Output"]["gradient"] > 0
    assert (tmp_path / "m.view" / "debug" / "150" / "00-LSTMForward.png").exists()


def test_watching_changes_no_weight(watched, tmp_path):
    evaluation = "--eval_listfile", EXAMPLES / "eval.list"
    result = run_lstmjax(*flags(tmp_path / "m", *evaluation), env=ENVIRON)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "m_checkpoint").read_bytes() == (
        watched.with_name("m_checkpoint").read_bytes()
    )
    left = {path.name for path in tmp_path.iterdir()}
    assert not left & {"m.view", "m.tensorboard", "m.lock"}


class Failing:
    """A watcher whose disk is full."""

    def __init__(self):
        self.calls = 0

    def report(self, seen):
        self.calls += 1
        raise OSError(28, "No space left on device")


def test_a_failing_watcher_is_left_out_and_the_run_goes_on():
    said: list[str] = []
    failing = Failing()
    guarded = Guarded({"--view": failing}, said.append)
    for _ in range(2):
        guarded.report(None)  # type: ignore[arg-type]
    assert failing.calls == 1
    assert said == ["--view: ended, training goes on: [Errno 28] No space left on device"]
