"""Files written by the real tools: every one is read and written back byte for byte."""

import helpers
import pytest

from lstmjax.formats import checkpoint, lstm, lstmf, parts, traineddata
from lstmjax.formats.checkpoint import LIGHT, NO_BEST, TrainerRecord
from lstmjax.nn.quantize import to_int

pytestmark = pytest.mark.reference

NETS = {
    "2d": "[1,20,0,1 Ct3,3,4 Mp2,2 L2xy4 Lfys4 Lfx6 O1c1]",
    "2d-transposed": "[1,20,0,1 Ct3,3,4 Mp4,4 L2yx2 Lfys4 O1c1]",
    "softmax-lstm": "[1,32,0,1 Ct3,3,4 Mp3,3 Lfys4 LS4]",
    "binary-softmax-lstm": "[1,32,0,1 Ct3,3,4 Mp3,3 Lfys4 LE4]",
    "activations": "[1,32,0,1 Ct3,3,4 Mp8,4 Lfys4 Rx[Lfx4 Cl1,1,4] Cp1,1,5 Cn1,1,6 Cs1,1,5 O1c1]",
    "parallel-replicated": "[1,1,0,32 (Lfx4 Lrx4) R2(Lfx3) O1c1]",
    "reconfig-bidi": "[1,32,0,1 S4,2 Lfys4 Lby4 O1c1]",
    "relu-reversed": "[1,32,0,1 Ct3,3,4 Mp3,3 Lfys4 Cr1,1,5 Ry[Lbx4 Cl1,1,3] O1s1]",
}


@pytest.fixture(scope="module")
def starter():
    return helpers.testdata("tesseract-test", "eng.starter.traineddata")


@pytest.fixture(scope="module")
def listfile(tmp_path_factory):
    """A list with one document of two short lines, which trains fast."""
    pages = lstmf.load(helpers.testdata("tesseract-test", "eng.Arial.exp0.lstmf"))
    short = sorted(pages, key=lambda one: len(one.image))[:2]
    folder = tmp_path_factory.mktemp("lines")
    lstmf.save(tuple(short), folder / "two.lstmf")
    (folder / "list").write_text(f"{folder / 'two.lstmf'}\n")
    return folder / "list"


def train(spec, output, starter, listfile, *more):
    done = helpers.run_real(
        "lstmtraining", "--traineddata", starter, "--net_spec", spec, "--model_output", output,
        "--train_listfile", listfile, *more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def stop(output, starter, *more):
    """Turn a checkpoint of the real trainer into a traineddata."""
    model = f"{output}{''.join(more)}.traineddata"
    done = helpers.run_real(
        "lstmtraining", "--stop_training", "--continue_from", f"{output}_checkpoint",
        "--traineddata", starter, "--model_output", model, *more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return traineddata.load(model)


def assert_checkpoint_round_trips(data, at_most=checkpoint.FULL):
    trainer = checkpoint.unpack(data, at_most=at_most)
    assert isinstance(trainer, TrainerRecord)
    assert checkpoint.pack(trainer) == data
    for blob in filter(None, (trainer.best_model_data, trainer.worst_model_data)):
        assert lstm.pack(lstm.unpack(blob)) == blob
    for blob, limit in ((trainer.best_trainer, NO_BEST), (trainer.sub_trainer, LIGHT)):
        if blob:
            assert_checkpoint_round_trips(blob, limit)
    return trainer


@pytest.mark.parametrize(
    ("name", "net_mode"),
    [(name, 192) for name in NETS]
    + [(name, mode) for name in ("2d", "softmax-lstm", "reconfig-bidi") for mode in (64, 128)],
)
def test_models_of_the_real_trainer(name, net_mode, tmp_path, starter, listfile):
    output = tmp_path / "m"
    train(NETS[name], output, starter, listfile, "--max_iterations", 2, "--net_mode", net_mode)
    assert_checkpoint_round_trips((tmp_path / "m_checkpoint").read_bytes())
    float_model, int_model = stop(output, starter), stop(output, starter, "--convert_to_int")
    for trained in (float_model, int_model):
        assert lstm.pack(lstm.unpack_from(trained)) == trained.components["lstm"]
    ours = to_int(lstm.unpack_from(float_model).network, training=2)
    real = lstm.unpack_from(int_model).network
    for node, expected in zip(ours.walk(), real.walk(), strict=True):
        assert node.training == expected.training
        for matrix, wanted in zip(node.matrices, expected.matrices, strict=True):
            assert matrix.weights.tobytes() == wanted.weights.tobytes()
            assert matrix.row_scales.tobytes() == wanted.row_scales.tobytes()
            assert (matrix.mode, matrix.empty[0]) == (wanted.mode, wanted.empty[0])
    report = helpers.run_real("combine_tessdata", "-l", f"{output}.traineddata").stdout
    assert lstm.describe(lstm.unpack_from(float_model)) == report.rstrip("\n")


def test_checkpoints_with_history(tmp_path, starter, listfile):
    train(
        "[1,36,0,1 Ct3,3,8 Mp3,3 Lfys16 Lfx24 O1c1]", tmp_path / "m", starter, listfile,
        "--eval_listfile", listfile, "--learning_rate", 0.01, "--max_iterations", 700,
    )  # fmt: skip
    full = assert_checkpoint_round_trips((tmp_path / "m_checkpoint").read_bytes())
    assert full.amount == checkpoint.FULL
    assert full.best_trainer
    best = sorted(tmp_path.glob("m_*.checkpoint"))
    assert best
    for path in best:
        assert assert_checkpoint_round_trips(path.read_bytes()).amount == NO_BEST


def test_containers_written_here_are_read_by_the_real_tool(tmp_path):
    trained = traineddata.load(helpers.testdata("tessdata_fast", "fra.traineddata"))
    model = lstm.unpack_from(trained)
    plain = tmp_path / "x.traineddata"
    traineddata.save(trained.with_component("lstm", lstm.pack(model)), plain)
    listing = helpers.run_real("combine_tessdata", "-d", plain)
    assert (listing.stdout + listing.stderr).rstrip("\n") == parts.describe(trained)
