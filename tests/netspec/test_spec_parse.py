import helpers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import SpecError
from lstmjax.formats import network as network_format
from lstmjax.formats.stream import Reader
from lstmjax.netspec.parse import MAX_DEPTH, parse, parse_append
from lstmjax.netspec.tree import (
    Convolve,
    Dense,
    Input,
    Lstm,
    Maxpool,
    Parallel,
    Reconfig,
    Reversed,
    Series,
    SoftmaxLstm,
    children,
    weight_count,
)

USUAL = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c1]"


def layers(spec: str, num_classes: int = 10):
    """The layers above the input."""
    return parse(spec, num_classes).root.children[1:]


def test_the_usual_network():
    network = parse(USUAL, 69)
    assert network.spec == USUAL
    assert network.built is network.root
    assert network.warnings == ("Warning: given outputs 1 not equal to unicharset of 69.",)
    assert weight_count(network.root) == 377_701  # of the Hebrew model, which has this spec
    assert network.root.children == (
        Input(1, 36, 0, 1),
        Series((Convolve(1, 1, 1), Dense(9, 16, "tanh", name="ConvNL")), name="ConvSeries"),
        Maxpool(16, 3, 3),
        Reversed(Lstm(16, 48, summary=True, name="Lfys48"), "xy", name="XYTransLSTM"),
        Lstm(48, 96, name="Lfx96"),
        Reversed(Lstm(96, 96, name="Lrx96"), "x", name="RevLSTM"),
        Lstm(96, 192, name="Lfx192"),
        Dense(192, 69, "softmax", name="Output"),
    )


@pytest.mark.parametrize(
    ("item", "node"),
    [
        ("Cr1,1,5", Dense(3, 5, "relu", name="Conv1x1")),
        (
            "Cn2,5,4",
            Series((Convolve(3, 2, 1), Dense(45, 4, "lin_tanh", name="ConvNL")), name="ConvSeries"),
        ),
        ("Mp2,3", Maxpool(3, x_scale=3, y_scale=2)),
        ("S2,4", Reconfig(3, x_scale=4, y_scale=2)),
        (
            "Lbxs6",
            Parallel(
                (
                    Lstm(3, 6, True, name="Lbxs6LTR"),
                    Reversed(Lstm(3, 6, True, name="Lbxs6"), "x", name="RevLSTM"),
                ),
                "bidi",
                name="BidiLSTM",
            ),
        ),
        ("LS 4", SoftmaxLstm(3, 4, 10, binary=False, name="LS 4")),
        ("LE4", SoftmaxLstm(3, 4, 10, binary=True, name="LE4")),
        ("RyLfx4", Reversed(Lstm(3, 4, name="Lfx4"), "y", name="Reversey")),
        ("R2 Lfx4", Parallel((Lstm(3, 4, name="Lfx4"),) * 2, "replicated", name="Replicated")),
        (
            "(Lfx4 [Mp1,1 Lfx5])",
            Parallel(
                (Lstm(3, 4, name="Lfx4"), Series((Maxpool(3, 1, 1), Lstm(3, 5, name="Lfx5"))))
            ),
        ),
        ("O2l10", Dense(3, 10, "logistic", name="Output2d")),
        (
            "O1s10",
            Series(
                (
                    Reconfig(3, x_scale=1, y_scale=8, name="FCReconfig"),
                    Dense(24, 10, "softmax_no_ctc", name="Output"),
                ),
                name="FCSeries",
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_items(item, node):
    assert layers(f"[1,8,0,3 {item}]") == (node,)


def test_dense_layers_flatten_what_is_left():
    _, flat, output = layers("[1,8,6,1 Mp2,2 Fp5 O0c10]")
    assert flat == Series(
        (
            Reconfig(1, x_scale=3, y_scale=4, name="FCReconfig"),
            Dense(12, 5, "lin_logistic", name="Fp5"),
        ),
        name="FCSeries",
    )
    assert output == Dense(5, 10, "softmax", name="Output")  # only one position is left


def test_2d_axes_are_named_the_other_way_round():
    (xy,), (yx,) = layers("[1,8,0,1 L2xy4]"), layers("[1,8,0,1 L2yx4]")
    assert xy == Reversed(yx, "xy", name="XYTransLSTM")
    assert isinstance(yx, Parallel)
    assert (yx.kind, yx.num_out, yx.name) == ("quad", 16, "2DLSTMQuad")


def test_an_input_joins_the_series_right_after_it():
    inner, output = parse("[1,8,0,1 [Lfys4 Lfx4] O1c10]", 10).root.children
    assert [child.name for child in children(inner)] == ["Input", "XYTransLSTM", "Lfx4"]
    assert output.name == "Output"
    assert parse("1,8,0,1 [Lfys4 O1c10]", 10).root == parse("[1,8,0,1 Lfys4 O1c10]", 10).root


def test_blanks_and_signs_as_c_reads_them():
    first = parse("\t[1, 8,\n0,1 Ct 3, +3,\t4 Lfys4 O1c10 ] ", 10)
    assert first.root == parse("[1,8,0,1Ct3,3,4Lfys4O1c10]", 10).root


ERRORS = {
    "empty": ("", 0, "input layer"),
    "no-input": ("[Lfx4 O1c1]", 1, "input layer"),
    "no-layers": ("1,8,0,1", 7, "layers of the network"),
    "only-input": ("[1,8,0,1]", 0, "at least 2 layers"),
    "input-cut": ("[1,8,0 Lfx4]", 6, "',' and the depth"),
    "two-channels": ("[1,8,0,2 Lfx4]", 7, "1 (grey) or 3"),
    "negative-height": ("[1,-8,0,1 Lfx4]", 3, "height from 0"),
    "no-depth": ("[1,8,0,0 Lfx4]", 7, "from 1 to"),
    "open-series": ("[1,8,0,1 Lfx4", 13, "close the '[' of column 1"),
    "open-parallel": ("[1,8,0,1 (Lfx4]", 14, "expected a layer"),
    "open-parallel-at-end": ("[1,8,0,1 (Lfx4", 14, "close the '(' of column 10"),
    "empty-parallel": ("[1,8,0,1 () O1c1]", 9, "at least one layer"),
    "single-series": ("[1,8,0,1 Mp1,1 [Lfx4] O1c1]", 15, "at least 2 layers"),
    "rest": ("[1,8,0,1 Lfys4 O1c1] Lfx4", 21, "end of the spec"),
    "dropout": ("[1,8,0,1 D0.5 O1c1]", 9, "no dropout"),
    "printed-spec": ("[1,8,0,1 TxyLfys4 O1c1]", 9, "printed specs only"),
    "no-activation": ("[1,8,0,1 C3,3,4]", 10, "found '3'"),
    "printed-window": ("[1,8,0,1 [C3,3Ft4]]", 11, "expected the activation"),
    "window-sizes": ("[1,8,0,1 Ct3,4]", 14, "',' and outputs"),
    "zero-window": ("[1,8,0,1 Ct3,0,4]", 13, "columns of it from 1"),
    "pool-letter": ("[1,8,0,1 Ma2,2]", 10, "p (max pooling)"),
    "general-reshape": ("[1,8,0,1 S(2x3)]", 10, "general reshape"),
    "direction": ("[1,8,0,1 Lqx4]", 10, "kind of LSTM"),
    "axis": ("[1,8,0,1 Lf4]", 11, "the axis"),
    "summary-first": ("[1,8,0,1 Lfsy4]", 11, "the axis"),
    "2d-axes": ("[1,8,0,1 L2xx4]", 11, "xy or yx"),
    "no-states": ("[1,8,0,1 Lfx O1c1]", 12, "number of states"),
    "repeat": ("[1,8,0,1 Rz4]", 10, "x, y or a count"),
    "repeat-none": ("[1,8,0,1 R0Lfx4]", 10, "copies from 1"),
    "output-dims": ("[1,8,0,1 Lfys4 O3c1]", 16, "dimensions of the output"),
    "output-type": ("[1,8,0,1 Lfys4 O1x1]", 17, "type of output"),
    "broken-last-item": ("[1,8,0,1 Lfys4 O0c1]", 15, "the width can differ"),
    "variable-both": ("[1,0,0,1 Lfx4 Ft5 O1c1]", 14, "the height and the width can"),
    "variable-height": ("[1,0,0,1 Lfx4 O1c1]", 14, "O1 needs a fixed height"),
    "no-rows-left": ("[1,8,0,1 Mp3,3 Mp3,3 O1c1]", 15, "only 2 rows are left"),
    "no-columns-left": ("[1,8,0,1 Lfxs4 S1,2 O1c1]", 15, "only 1 column is left"),
    "different-sizes": ("[1,8,0,1 (Mp2,2 Lfx4) O1c1]", 9, "side by side"),
    "different-width": ("[1,8,0,1 (Lfx4 Lfxs4) O1c1]", 9, "side by side"),
    "states-bound": ("[1,8,0,1 Lfx1000000000 O1c1]", 12, "1 to 65535"),
    "thousand-digits": ("[1,8,0,1 Lfx" + "9" * 5000 + "]", 12, "1 to 65535"),
    "weights-bound": ("[1,8,0,1 Lfx60000 O1c1]", 9, "weights, more than"),
    "matrix-bound": ("[1,8,0,1 R9999Lfx1 R9Cl1,1,9000]", 19, "features per position"),
    "copies-bound": ("[1,8,0,1 R5000[Lfx1 Mp1,1] O1c1]", 10, "more than 10000 layers"),
    "copies-of-copies": ("[1,8,0,1 R999R999R999Mp1,1 O1c1]", 14, "more than 10000"),
    "nesting": ("[1,8,0,1 " + "Rx" * 500 + "Lfx1]", 9 + 2 * MAX_DEPTH, "nested more than 32"),
    "brackets": ("[" * 9000, MAX_DEPTH + 1, "nested more than 32"),
    "built-nesting": ("[1,8,0,1 " + "Rx" * 29 + "Lby1 O1c1]", 9, "deep, more than"),
}


@pytest.mark.parametrize(("spec", "column", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_errors_name_the_column(spec, column, message):
    with pytest.raises(SpecError) as caught:
        parse(spec, 10)
    assert (caught.value.column, caught.value.spec) == (column, spec)
    assert message in caught.value.problem


def test_errors_without_a_column():
    with pytest.raises(SpecError, match="characters, more than"):
        parse("[" + " " * 20_000, 10)
    with pytest.raises(SpecError, match="0 codes"):
        parse(USUAL, 0)


@given(st.text("[]()CMpSLFROfrbxys2Etlmn0123456789, \n-+ABD", max_size=40))
def test_any_text_parses_or_says_why(text):
    for spec in (text, "[1,8,0,1 " + text, "[1,8,0,1" + text + "O1c1]"):
        try:
            weights, column = weight_count(parse(spec, 10).root), 0
        except SpecError as err:
            weights, column = 0, err.column
        assert weights >= 0
        assert column is not None
        assert 0 <= column <= len(spec)


def test_append_keeps_the_lower_layers():
    base = parse(USUAL, 69).root
    network = parse_append("[Lfx32 O1c1]", 12, base, 3)
    new = Series((Lstm(48, 32, name="Lfx32"), Dense(32, 12, "softmax", name="Output")))
    assert network.built == new
    assert network.root == Series((*base.children[:4], *new.children), name="MasterSeries")
    assert network.warnings == ("Warning: given outputs 1 not equal to unicharset of 12.",)


def test_append_after_everything_turns_the_softmax_into_tanh():
    base = parse(USUAL, 69).root
    network = parse_append("[O1c12]", 12, base, len(base.children) - 1)
    assert network.root.children[-2] == Dense(192, 69, "tanh", name="Output")
    assert network.root.children[-1] == Dense(69, 12, "softmax", name="Output")


@pytest.mark.parametrize(
    ("spec", "keep", "message"),
    [
        ("[Lfx4 O1c1]", 8, "numbered 0 to 7"),
        ("[Lfx4 O1c1]", -1, "numbered 0 to 7"),
        ("Lfx4", 4, "must stand in"),
        ("[]", 4, "at least 1 layer"),
        ("[1,36,0,1 Lfx4 O1c1]", 4, "expected a layer"),
        ("[O1c1] O1c1", 4, "end of the spec"),
        ("[O1c1]", 1, None),
    ],
    ids=["above", "below", "no-brackets", "empty", "input", "rest", "moves-height-into-depth"],
)
def test_append_errors(spec, keep, message):
    base = parse(USUAL, 69).root
    if message is None:
        assert parse_append(spec, 69, base, keep).built.children[0].name == "FCSeries"
        return
    with pytest.raises(SpecError, match=message):
        parse_append(spec, 69, base, keep)


TYPES = {
    "logistic": "Logistic", "lin_logistic": "LinLogistic", "lin_tanh": "LinTanh", "tanh": "Tanh",
    "relu": "Relu", "linear": "Linear", "softmax": "Softmax", "softmax_no_ctc": "SoftmaxNoCTC",
    "parallel": "Parallel", "replicated": "Replicated", "bidi": "ParBidiLSTM", "quad": "Par2dLSTM",
    "x": "RTLReversed", "y": "TTBReversed", "xy": "XYTranspose",
}  # fmt: skip


def stored(node):
    """A node and all below it as a model file lists them."""
    match node:
        case Dense():
            kind = TYPES[node.activation]
        case Parallel():
            kind = TYPES[node.kind]
        case Reversed():
            kind = TYPES[node.axis]
        case Lstm():
            kind = "SummLSTM" if node.summary else "LSTM"
        case SoftmaxLstm():
            kind = "LSTMBinarySoftmax" if node.binary else "LSTMSoftmax"
        case _:
            kind = type(node).__name__
    sizes = (node.num_in, node.num_out, weight_count(node))
    extra = {
        Input: ("batch", "height", "width", "depth"),
        Convolve: ("half_x", "half_y"),
        Maxpool: ("x_scale", "y_scale"),
        Reconfig: ("x_scale", "y_scale"),
        Lstm: ("num_source",),
        SoftmaxLstm: ("num_source",),
    }.get(type(node), ())
    yield kind, node.name, *sizes, *(getattr(node, each) for each in extra)
    for child in children(node):
        yield from stored(child)
    if isinstance(node, SoftmaxLstm):
        yield from stored(node.softmax)


def read_back(path):
    """The same from a checkpoint of the real tool."""
    for node in network_format.read(Reader(path.read_bytes())).walk():
        extra = node.half or node.scale or ()
        if node.shape:
            extra = node.shape[:4]
        elif node.na is not None:
            extra = (node.na,)
        sizes = (node.num_in, node.num_out, node.num_weights)
        yield node.type, node.name, *sizes, *extra


@pytest.mark.reference
@pytest.mark.parametrize(
    "spec",
    [
        "[1,20,0,1 Ct2,2,4 Mp4,4 L2xy4 L2yx3 Lbys5 Lrx3 O1c111]",
        "[1,32,0,1 S4,2 Ry[Lfx4 Cl1,1,4] R2Lfx3 (Lfx4 [Lrx4 Lfx3]) O1c1]",
        "[1,8,0,1[Lfys 4 Lfx4] Rx Mp1,1 Cm1,3,2 LE4]",
        "[1,8,0,1 Cr1,1,2 Cp1,1,2 Cn3,1,2 Cs1,1,2 Lfys4 LS6]",
        "[1,1,0,8 Lbx4 O2s1]",
    ],
)
def test_trees_line_up_with_real_checkpoints(spec, tmp_path):
    lines = tmp_path / "list"
    lines.write_text(f"{helpers.testdata('tesseract-test', 'eng.Arial.exp0.lstmf')}\n")
    helpers.run_real(
        "lstmtraining", "--net_spec", spec, "--model_output", tmp_path / "m",
        "--traineddata", helpers.testdata("tesseract-test", "eng.starter.traineddata"),
        "--train_listfile", lines, "--max_iterations", 1,
    )  # fmt: skip
    expected = list(read_back(tmp_path / "m_checkpoint"))
    assert list(stored(parse(spec, 111).root)) == expected
