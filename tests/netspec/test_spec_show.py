import helpers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.netspec.parse import parse, parse_append
from lstmjax.netspec.show import EXTENDED, describe, series_table, show
from lstmjax.netspec.tree import Input, Lstm, Maxpool, Parallel, Reconfig, Reversed, Series

STORED = {
    "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lbx24 O1c1]": """\
Warning: given outputs 1 not equal to unicharset of 111.
Num outputs,weights in Series:
  1,32,0,1:1, 0
Num outputs,weights in Series:
  C3,3:9, 0
  Ft8:8, 80
Total weights = 80
  [C3,3Ft8]:8, 80
  Mp3,3:8, 0
  TxyLfys16:16, 1600
  Lbx24:48, 7872
  Fc111:111, 5439
Total weights = 14991
Built network:[1,32,0,1[C3,3Ft8]Mp3,3TxyLfys16Lbx24Fc111] from request \
[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lbx24 O1c1]""",
    "[1,20,0,1 Ct2,2,4 Mp4,4 L2xy4 L2yx3 Lbys5 Lrx3 O1c111]": """\
Num outputs,weights in Series:
  1,20,0,1:1, 0
Num outputs,weights in Series:
  C3,3:9, 0
  Ft4:4, 40
Total weights = 40
  [C3,3Ft4]:4, 40
  Mp4,4:4, 0
  TxyL2yy4:16, 1040
  L2xy3:12, 1380
  TxyLbys5:10, 720
  RxLrx3:3, 168
  Fc111:111, 444
Total weights = 3792
Built network:[1,20,0,1[C3,3Ft4]Mp4,4TxyL2yy4L2xy3TxyLbys5RxLrx3Fc111] from request \
[1,20,0,1 Ct2,2,4 Mp4,4 L2xy4 L2yx3 Lbys5 Lrx3 O1c111]""",
    "[1,32,0,1 S4,2 Ry[Lfx4 Cl1,1,4] R2Lfx3 (Lfx4 [Lrx4 Lfx3]) O1c1]": """\
Warning: given outputs 1 not equal to unicharset of 111.
Num outputs,weights in Series:
  1,32,0,1:1, 0
  S4,2:8, 0
Num outputs,weights in Series:
  Lfx4:4, 208
  Fl4:4, 20
Total weights = 228
  Ry[Lfx4Fl4]:4, 228
  R2(Lfx3):6, 192
Num outputs,weights in Series:
  RxLrx4:4, 176
  Lfx3:3, 96
Total weights = 272
  Lfx4[RxLrx4Lfx3]):7, 448
Num outputs,weights in Series:
  S8,1:56, 0
  Fc111:111, 6327
Total weights = 6327
  [S8,1Fc111]:111, 6327
Total weights = 7195
Built network:[1,32,0,1S4,2Ry[Lfx4Fl4]R2(Lfx3)Lfx4[RxLrx4Lfx3])[S8,1Fc111]] from request \
[1,32,0,1 S4,2 Ry[Lfx4 Cl1,1,4] R2Lfx3 (Lfx4 [Lrx4 Lfx3]) O1c1]""",
    "[1,8,0,1[Lfys4 Lfx4]O1c]": """\
Warning: given outputs 0 not equal to unicharset of 111.
Num outputs,weights in Series:
Num outputs,weights in Series:
  1,8,0,1:1, 0
  TxyLfys4:4, 96
  Lfx4:4, 144
Total weights = 240
  [1,8,0,1TxyLfys4Lfx4]:4, 240
  Fc111:111, 555
Total weights = 795
Built network:[[1,8,0,1TxyLfys4Lfx4]Fc111] from request [1,8,0,1[Lfys4 Lfx4]O1c]""",
}


@pytest.mark.parametrize(("spec", "text"), STORED.items(), ids=STORED.keys())
def test_describe_prints_what_the_real_tool_printed(spec, text):
    assert describe(parse(spec, 111)) == text


def test_an_appended_network_lists_its_new_layers_only():
    base = parse("[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lbx24 O1c1]", 111).root
    assert (
        describe(parse_append("[Lfx4 O1c1]", 111, base, 5))
        == """\
Warning: given outputs 1 not equal to unicharset of 111.
Num outputs,weights in Series:
  Lfx4:4, 1856
  Fc111:111, 555
Total weights = 2411
Built network:[1,32,0,1[C3,3Ft8]Mp3,3TxyLfys16Lbx24Ft111Lfx4Fc111] from request [Lfx4 O1c1]"""
    )


def test_the_table_takes_another_header():
    root = parse("[1,8,0,1 Ct3,3,2 Lfys4 O1c9]", 9).root
    lines = series_table(root, EXTENDED)
    assert lines.count("Num (Extended) outputs,weights in Series:") == 2
    assert lines[-1] == "Total weights = 177"


def test_kinds_that_only_files_hold():
    lstm = Lstm(3, 4, name="Lfx4")
    assert show(Parallel((lstm, lstm), "dep_par")) == "Lfx4Lfx4)"
    assert show(Reversed(Maxpool(3, 2, 1), "xy")) == "TxyMp1,2"


def reparsable_layers(num_in: int, level: int):
    """Layers whose printed form says everything, in the form the parser gives them."""

    def bidi(states: int, summary: str) -> Parallel:
        name = f"Lbx{summary}{states}"
        forward, back = (Lstm(num_in, states, bool(summary), name=n) for n in (name + "LTR", name))
        return Parallel((forward, Reversed(back, "x", name="RevLSTM")), "bidi", name="BidiLSTM")

    sizes = st.integers(1, 3)
    leaves = [
        st.builds(Maxpool, st.just(num_in), st.just(1), sizes),
        st.builds(Reconfig, st.just(num_in), st.just(1), sizes),
        sizes.map(lambda n: Lstm(num_in, n, name=f"Lfx{n}")),
        sizes.map(lambda n: Lstm(num_in, n, True, name=f"Lfxs{n}")),
        st.builds(bidi, sizes, st.sampled_from(["", "s"])),
    ]
    if level == 0:
        return st.one_of(leaves)
    below = series(num_in, level - 1)
    flipped = st.one_of(*leaves[:2], below)  # a reversed LSTM is printed as reversed twice
    return st.one_of(
        *leaves,
        below,
        flipped.map(lambda node: Reversed(node, "x", name="Reversex")),
        flipped.map(lambda node: Reversed(node, "y", name="Reversey")),
    )


@st.composite
def series(draw, num_in: int, level: int):
    nodes = [draw(reparsable_layers(num_in, level))]
    for _ in range(draw(st.integers(1, 3))):
        nodes.append(draw(reparsable_layers(nodes[-1].num_out, level)))
    return Series(tuple(nodes))


@st.composite
def networks(draw):
    depth = draw(st.sampled_from([1, 3]))
    first = draw(reparsable_layers(depth, 0))  # a series here would take the input in
    rest = draw(series(first.num_out, 2)).children
    return Series((Input(1, 0, 0, depth), first, *rest))


@given(networks())
def test_parse_undoes_show(root):
    assert parse(show(root), 10).root == root


REQUESTS = [
    *STORED,
    "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c1]",
    "[1,8,0,1 Mp4,4 LE6]",
    "[1,8,0,3 Lfys8 LS6]",
    "[1,8,0,1 Lfys8 Lfx8 O1s1]",
    "[1,8,0,1 Lfys8 O2c1]",
    "[1,8,0,1 Lfys8 Lfxs4 O0c1]",
    "[1,8,0,1 Lfys4 Lbxs4 Fr5 Fm4 Fn3 Fp2 Fs7 Fl1 O0c]",
    "1,8,0,1 [Lfys8 Lfx 4 O1l111]",
    "[1,8,64,1 Mp4,4 Lfx 4 Ft5 O0c1]",
    "[1,48,8,1 Lfys4 Cm1,3,4 R1Lfx3 RxLfx3 Fr 5 O2c1]",
    "[0, 8,0,1 Ct 3, +3,\t4 Lrys4 (Lfx4) O1c1]",
    "[1,1,0,32 (Lfx8 Lrx8) Rx(Lfx2 Mp1,1) RyLbx3 O1c1]",
    "[1,0,0,1 Lbys4 R3[Lfx2 Cn3,3,2] O1c1]",
    "[1,16,0,1 Rx Ry L2yx2 RxL2xy2 Lfys2 RxLE3]",
    "[1,32,0,1 Ct3,3,4 Mp8,4 Lfys4 Rx[Lfx4 Cl1,1,4] Cp1,1,5 Cn1,1,6 Cs1,1,5 Cm1,1,7 O1c111]",
]


@pytest.mark.reference
@pytest.mark.parametrize("spec", REQUESTS)
def test_the_real_tool_prints_the_same(spec, tmp_path):
    lines = tmp_path / "list"
    lines.write_text("no such file\n")  # it stops after it has built the network
    run = helpers.run_real(
        "lstmtraining", "--net_spec", spec, "--model_output", tmp_path / "m",
        "--traineddata", helpers.testdata("tesseract-test", "eng.starter.traineddata"),
        "--train_listfile", lines, "--max_iterations", 1,
    )  # fmt: skip
    built, training, _ = run.stderr.partition("\nTraining parameters:")
    assert training
    assert describe(parse(spec, 111)) == built
