"""A run goes on only with what it began with: characters, origin, and flags for its start."""

import json
import shutil
from dataclasses import replace

import pytest
from training.small import NET_SPEC
from training.starts import (
    DEMO,
    codec_of,
    exchanged_rows,
    make_base,
    make_model,
    resumed,
    save_start,
    smaller_charset,
    start,
)

from lstmjax.charset.identity import charset_path, rows_of
from lstmjax.errors import FormatError, TrainError
from lstmjax.formats import charset_rows
from lstmjax.pipeline.training import start_network
from lstmjax.training import provenance
from lstmjax.training.native import NativeStore

KINDS = ["native", "tesseract"]
EXCHANGED = r"row 10 is ',' \(U\+002C, code 8\) in .*, but 'd' \(U\+0064, code 8\) in .*exchanged"
UNKNOWN = "there is no record of the characters it was trained with; only their number"


def begun(folder, kind="tesseract", *, recipe="fast", recorded=True, **asked):
    """Begin a run in a folder and leave a state of it, native or Tesseract's."""
    found, _ = start(folder, recipe, **asked)
    identity = found.snapshot.fingerprint
    if not recorded:  # as an earlier version left it
        identity = {key: identity[key] for key in identity.keys() - {"charset", "beginning"}}
    if kind == "native":
        progress = replace(found.snapshot.progress, training_iteration=2, sample_iteration=2)
        store = NativeStore(str(folder / "m.ckpt"), keep=1)
        store.save(replace(found.snapshot, progress=progress, fingerprint=identity))
        store.close()
    else:
        save_start(found, folder / "m_checkpoint", iterations=2)
        if recorded:
            provenance.keep(identity, str(folder / "m"))
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A model of another run, with its characters beside it."""
    folder = tmp_path_factory.mktemp("base")
    path, record = make_base(folder)
    charset_rows.save(rows_of(codec_of(DEMO)), charset_path(path))
    return path, record


# -- characters ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_other_characters_is_refused_by_the_first_row(tmp_path, kind):
    begun(tmp_path, kind, net_spec=NET_SPEC)
    with pytest.raises(TrainError, match=f"another character set: {EXCHANGED}") as caught:
        start(tmp_path, charsets=exchanged_rows(tmp_path))
    assert "Use the traineddata it was trained with, or another --model_output" in str(caught.value)
    with pytest.raises(TrainError, match=r"row 72 is '.*' .*, but missing in .*smaller"):
        start(tmp_path, charsets=smaller_charset(tmp_path))
    again, said = start(tmp_path)
    assert resumed(again)
    assert "record" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_recorded_is_said_once_and_then_recorded(tmp_path, kind):
    begun(tmp_path, kind, recorded=False, net_spec=NET_SPEC)
    again, said = start(tmp_path)
    assert said.count(UNKNOWN) == 1
    provenance.keep(again.snapshot.fingerprint, str(tmp_path / "m"))
    assert not (tmp_path / "m.start.json").exists()  # that stays unknown
    _, said = start(tmp_path)
    assert UNKNOWN not in said
    with pytest.raises(TrainError, match=EXCHANGED):
        start(tmp_path, charsets=exchanged_rows(tmp_path))


def test_a_model_is_started_from_with_its_own_characters_only(tmp_path, base):
    path, _ = base
    other = exchanged_rows(tmp_path)
    with pytest.raises(TrainError, match=f"{EXCHANGED}.*as --old_traineddata"):
        start(tmp_path, charsets=other, continue_from=path)
    with pytest.raises(TrainError, match=EXCHANGED):
        start(tmp_path, continue_from=path, old_traineddata=str(other))
    found, said = start(tmp_path, charsets=other, continue_from=path, old_traineddata=str(DEMO))
    assert found.outputs_remapped
    assert UNKNOWN not in said
    start(tmp_path, charsets=other, continue_from=path, append_index=3, net_spec="[Lfx6 O1c1]")


def test_a_whole_model_is_compared_with_its_own_set(tmp_path, base):
    whole, component = make_model(tmp_path, base[1])
    other = exchanged_rows(tmp_path)
    found, said = start(tmp_path, charsets=other, continue_from=whole)
    assert found.outputs_remapped  # both sets are known, so the outputs are exchanged
    assert "Code range changed from 76 to 76!" in said
    with pytest.raises(TrainError, match=EXCHANGED):
        start(tmp_path, continue_from=whole, old_traineddata=str(other))
    _, said = start(tmp_path, continue_from=component)
    assert f"{component}: {UNKNOWN}" in said
    _, said = start(tmp_path, charsets=whole, continue_from=component)  # which holds the component
    assert UNKNOWN not in said


def test_the_network_of_a_start_model_keeps_its_characters(tmp_path, base):
    whole, _ = make_model(tmp_path, base[1])
    _, said = start(tmp_path, continue_from=start_network(whole, tmp_path / "checkpoints"))
    assert UNKNOWN not in said


# -- where a run began ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "recipe"), [("native", "fast"), ("tesseract", "fast"), ("tesseract", "tesseract")]
)
def test_another_origin_is_refused_and_the_same_goes_on(tmp_path, base, kind, recipe):
    path, _ = base
    mine = str(tmp_path / "mine")
    shutil.copy(path, mine)
    shutil.copy(f"{path}.charset", f"{mine}.charset")
    begun(tmp_path, kind, recipe=recipe, continue_from=mine)
    for same in (mine, path, ""):  # the file, its contents elsewhere, and without the flag
        again, said = start(tmp_path, recipe, continue_from=same)
        assert resumed(again)
        assert "record" not in said
    other, _ = make_model(tmp_path, base[1])
    with pytest.raises(TrainError) as caught:
        start(tmp_path, recipe, continue_from=other)
    assert str(caught.value) == (
        f"the run {tmp_path / 'm'} began with {mine}, not with {other}, and goes on from its own "
        "last state. Leave out --continue_from to go on, or give another --model_output to start "
        f"anew from {other}"
    )


def test_an_origin_that_has_changed_since_goes_on(tmp_path, base):
    mine = tmp_path / "mine"
    shutil.copy(base[0], mine)
    begun(tmp_path, continue_from=str(mine))
    mine.write_bytes(b"trained on")
    again, said = start(tmp_path, continue_from=str(mine))
    assert resumed(again)
    assert f"{mine} has changed since this run began with it" in said
    mine.unlink()
    assert resumed(start(tmp_path, continue_from=str(mine))[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_from_scratch_takes_no_model_later(tmp_path, base, kind):
    begun(tmp_path, kind, net_spec=NET_SPEC)
    with pytest.raises(TrainError, match=r"began with --net_spec, not with .*base"):
        start(tmp_path, net_spec=NET_SPEC, continue_from=base[0])


@pytest.mark.parametrize("own", ["m_checkpoint", "m", "m.ckpt"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_may_name_itself(tmp_path, kind, own):
    begun(tmp_path, kind, net_spec=NET_SPEC)
    again, said = start(tmp_path, continue_from=str(tmp_path / own))
    assert resumed(again)
    assert "record" not in said
    with pytest.raises(TrainError, match=r"but --net_spec is \[1,9,0,1 O1c1\]"):
        start(tmp_path, continue_from=str(tmp_path / own), net_spec="[1,9,0,1 O1c1]")


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("name", ["m_best.checkpoint", "m_5.273000_1200_3000.checkpoint"])
def test_its_best_state_is_not_its_last(tmp_path, name, recorded):
    begun(tmp_path, recorded=recorded, net_spec=NET_SPEC)
    with pytest.raises(TrainError, match=r"is a best state of the run .* goes on from its last"):
        start(tmp_path, continue_from=str(tmp_path / name))


def test_an_unknown_origin_is_said(tmp_path, base):
    begun(tmp_path, recorded=False, net_spec=NET_SPEC)
    again, said = start(tmp_path, continue_from=base[0], reset_learning_rate=True)
    assert resumed(again)
    text = "no record of what it began with, so --continue_from, --reset_learning_rate could not be"
    assert text in said


# -- flags that change only the start ------------------------------------------------------------

HEAD = {"append_index": 3, "net_spec": "[Lfx6 O1c1]"}


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ({}, {"reset_learning_rate": True}, "--reset_learning_rate .* begun without"),
        (HEAD, {**HEAD, "append_index": 4}, "--append_index 4 .* begun with --append_index 3"),
        ({}, HEAD, "--append_index 3 .* begun without --append_index"),
        ({}, {"old_traineddata": str(DEMO)}, "--old_traineddata .*demo.* begun without"),
        ({}, {"settings": {"weight_range": 0.2}}, "--weight_range 0.2 .* without --weight_range"),
    ],
    ids=["reset", "other layer", "append", "old_traineddata", "weight_range"],
)
def test_changes_come_only_at_the_start(tmp_path, base, before, after, message):
    asked = {"continue_from": base[0]}
    begun(tmp_path, **asked, **before)
    with pytest.raises(TrainError, match=message) as caught:
        start(tmp_path, **asked, **after)
    assert "out to go on, or give another --model_output to start anew" in str(caught.value)
    assert resumed(start(tmp_path, **asked, **before)[0])
    assert resumed(start(tmp_path, **asked)[0])


def test_the_same_changes_go_on(tmp_path, base):
    asked = {
        "charsets": exchanged_rows(tmp_path),
        "continue_from": base[0],
        "old_traineddata": str(DEMO),
        "reset_learning_rate": True,
        "settings": {"weight_range": 0.2},
    }
    begun(tmp_path, **asked)
    assert resumed(start(tmp_path, **asked)[0])
    copy = tmp_path / "copy.traineddata"
    shutil.copy(DEMO, copy)
    assert resumed(start(tmp_path, **{**asked, "old_traineddata": str(copy)})[0])
    with pytest.raises(TrainError, match=r"--old_traineddata .*exchanged.* with .*demo"):
        start(tmp_path, **{**asked, "old_traineddata": str(asked["charsets"])})


# -- the record ----------------------------------------------------------------------------------


def test_both_kinds_of_checkpoint_hold_the_same(tmp_path, base):
    found, _ = start(tmp_path, continue_from=base[0], **HEAD)
    identity = json.loads(json.dumps(found.snapshot.fingerprint))
    provenance.keep(identity, str(tmp_path / "m"))
    request = _request(tmp_path)
    beside, native = provenance.recorded(request, {}), provenance.recorded(request, identity)
    assert beside.charset is not None
    assert native.charset is not None
    assert beside.charset.rows == native.charset.rows == rows_of(codec_of(DEMO))
    assert beside.beginning == native.beginning
    assert native.beginning is not None
    assert native.beginning.append_index == 3


def _request(folder):
    from lstmjax.training.request import Request

    return Request(str(DEMO), str(folder / "m"), "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not the JSON"),
        ("[" * 100_000, "not the JSON"),
        ("[]", "version None, expected 1"),
        ('{"version": 2}', "version 2, expected 1"),
        ('{"version": 1}', "not the record of what a run began with"),
    ],
    ids=["empty", "deep", "list", "version", "fields"],
)
def test_a_damaged_record_is_refused(tmp_path, text, message):
    begun(tmp_path, net_spec=NET_SPEC)
    (tmp_path / "m.start.json").write_text(text)
    with pytest.raises(FormatError, match=message) as caught:
        start(tmp_path)
    assert "m.start.json" in str(caught.value)
    assert "move it away to go on" in str(caught.value)
