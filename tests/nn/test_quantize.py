from dataclasses import replace

import helpers
import numpy as np
import pytest
from formats.format_samples import NetworkMaker

from lstmjax.formats import lstm, traineddata
from lstmjax.formats.weights import ADAM, DOUBLE, INT8, WeightMatrix
from lstmjax.nn.quantize import quantize, to_int


def test_rounding_is_half_away_from_zero():
    weights = np.array([[127.0, 2.5, -2.5, 0.49, -126.6], [0, 0, 0, 0, 0]])
    small = quantize(WeightMatrix(DOUBLE | ADAM, weights))
    assert small.weights.tolist() == [[127, 3, -3, 0, -127], [0] * 5]
    assert small.mode == DOUBLE | ADAM | INT8
    np.testing.assert_allclose(small.row_scales, [1, 0], rtol=1e-6)


def test_scales_can_be_padded():
    matrix = WeightMatrix(DOUBLE, np.ones((5, 2)))
    assert quantize(matrix).scales is not None
    padded = quantize(matrix, scale_multiple=8)
    assert padded.scales is not None
    assert len(padded.scales) == 8
    assert not padded.scales[5:].any()


def test_the_whole_tree_is_converted():
    network = to_int(NetworkMaker().every_kind())
    for node in network.walk():
        assert node.training == 0
        for matrix in node.matrices:
            assert matrix.int_mode
            assert matrix.updates is None
    again = to_int(network)
    kept = [node.matrices for node in again.walk()]
    assert kept == [node.matrices for node in network.walk()]


@pytest.mark.reference
@pytest.mark.parametrize("name", ["heb", "fra"])
def test_conversion_is_that_of_the_real_tool(name, tmp_path):
    source = helpers.testdata("tessdata_best", f"{name}.traineddata")
    path = tmp_path / "x.traineddata"
    path.write_bytes(source.read_bytes())
    assert helpers.run_real("combine_tessdata", "-c", path).returncode == 0
    real = traineddata.load(path).components["lstm"]
    model = lstm.unpack_from(traineddata.load(source))
    for multiple in (1, 4, 8, 16):  # the padding depends on the processor
        ours = replace(
            model,
            network=to_int(model.network, scale_multiple=multiple),
            training_flags=model.training_flags | lstm.INT_MODE,
        )
        if lstm.pack(ours) == real:
            return
    pytest.fail("no padding of the scales gives the bytes of the real tool")
