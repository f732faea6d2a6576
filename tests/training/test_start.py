"""Where runs start: parts of models, other character sets, int8 models, earlier runs."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from helpers import run_lstmjax, run_real
from training.small import EXAMPLES, NET_SPEC, flags
from training.starts import (
    DEMO,
    codec_of,
    frozen,
    make_base,
    make_model,
    resumed,
    save_start,
    smaller_charset,
    start,
)

from lstmjax.errors import FormatError, LstmjaxError, SpecError, TrainError, UsageError
from lstmjax.formats import checkpoint, lstm, traineddata
from lstmjax.netspec.parse import parse
from lstmjax.nn.build import build
from lstmjax.nn.convert import params_of
from lstmjax.nn.headers import freeze_below, headers_of, to_plain
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast import update
from lstmjax.training.fast.optim import core_state, rate_factors
from lstmjax.training.identity import Identity
from lstmjax.training.state import Moments
from lstmjax.training.transfer import code_map, recognizer_in

HEAD = "[Lfx6 O1c1]"
RECIPES = ["fast", "tesseract"]


def same_arrays(one, two):
    jax.tree.map(np.testing.assert_array_equal, one, two)


def marked(tree):
    """Top-level layers with any leaf that is True."""
    return {int(key) for key, below in (tree or {}).items() if any(jax.tree.leaves(below))}


def params_below(tree, key):
    return tree[key]


def listed(network):
    return [(node.flags, node.needs_backprop, node.num_weights) for node in network.walk()]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("base"))


# -- appending ---------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
def test_appended_layers_stand_on_those_kept(tmp_path, base, recipe):
    path, record = base
    found, said = start(tmp_path, recipe, continue_from=path, append_index=3, net_spec=HEAD)
    assert f"Continuing from {path}\nAppending a new network to an old one!!Warning: given" in said
    assert "Built network:[1,12,0,1[C3,3Ft4]Mp3,2TxyLfys8Lfx6Fc76] from request " + HEAD in said
    assert said.endswith("null char=75")
    assert found.identity.net_spec == NET_SPEC + HEAD
    params = found.snapshot.state.params
    old = params_of(record.recognizer.network)
    same_arrays({key: params[key] for key in "13"}, {key: old[key] for key in "13"})
    assert found.snapshot.progress.training_iteration == 0
    assert marked(frozen(found)) == ({1, 3} if recipe == "tesseract" else set())
    headers = found.identity.headers
    assert headers is not None
    assert (headers.name, headers.flags) == ("MasterSeries", 0)
    assert {child.flags for child in headers.children} == {192}


def test_appended_network_has_the_rates_of_its_flags(tmp_path, base):
    path, _ = base
    found, _ = start(
        tmp_path, "tesseract", continue_from=path, append_index=3, net_spec=HEAD,
        settings={"learning_rate": 0.01, "net_mode": 64, "perfect_sample_delay": 3},
    )  # fmt: skip
    moments = found.snapshot.state.opt_state
    assert isinstance(moments, Moments)
    top = {key: float(jax.tree.leaves(params_below(moments.rates, key))[0]) for key in "345"}
    assert top == pytest.approx({"3": 0.001, "4": 0.01, "5": 0.01})  # the first is in a container
    by_adam = found.identity.updated_by_adam(found.snapshot.state.params, default=True)
    assert isinstance(by_adam, dict)
    assert marked(by_adam) == {1, 3}
    kept, added = (jax.tree.leaves(params_below(moments.updates, key)) for key in "14")
    assert any(map(np.any, kept))
    assert not any(map(np.any, added))
    assert (found.config.net_mode, found.config.perfect_sample_delay) == (0, 3)


def test_a_softmax_that_stays_becomes_tanh(tmp_path, base):
    found, _ = start(tmp_path, continue_from=base[0], append_index=5, net_spec="[O1c1]")
    record = save_start(found, tmp_path / "c")
    assert [child.type for child in record.recognizer.network.children[-2:]] == ["Tanh", "Softmax"]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("freeze", [None, 4])
def test_appended_run_is_found_again_as_it_was(tmp_path, base, recipe, freeze):
    asked = {"continue_from": base[0], "append_index": 3, "net_spec": HEAD}
    if freeze:
        asked["freeze_below"] = freeze
    found, _ = start(tmp_path, recipe, **asked)
    record = save_start(found, tmp_path / "m_checkpoint", iterations=2)
    again, said = start(tmp_path, recipe, **{**asked, "continue_from": "gone"})
    assert "Successfully restored trainer" in said
    assert resumed(again)
    same_arrays(again.snapshot.state.params, found.snapshot.state.params)
    same_arrays(frozen(again), frozen(found))
    assert listed(again.identity.headers) == listed(record.recognizer.network)
    assert again.identity.net_spec == NET_SPEC + HEAD
    with pytest.raises(TrainError, match="use another --model_output"):
        start(tmp_path, recipe, **{**asked, "net_spec": "[Lfx7 O1c1]"})


@pytest.mark.parametrize(
    ("index", "spec", "message"),
    [
        (6, HEAD, "numbered 0 to 5"),
        (99, HEAD, "numbered 0 to 5"),
        (3, "Lfx6", "must stand in"),
        (3, "[Lfx6 Xq O1c1]", "expected a layer"),
        (3, "[Lfx76]", "cannot be trained on text"),
        (3, "[1,36,0,1 O1c1]", "expected a layer"),
    ],
)
@pytest.mark.parametrize("recipe", RECIPES)
def test_layers_that_cannot_be_appended_are_refused(tmp_path, base, recipe, index, spec, message):
    kind = TrainError if recipe == "tesseract" else SpecError
    with pytest.raises(kind, match=message) as caught:
        start(tmp_path, recipe, continue_from=base[0], append_index=index, net_spec=spec)
    failed = f"Failed to create network from spec: {spec}" in str(caught.value)
    assert failed is (recipe == "tesseract")


def test_appending_needs_something_to_append_to(tmp_path):
    with pytest.raises(UsageError, match="Must set --continue_from for appending!"):
        start(tmp_path, append_index=3, net_spec=HEAD)


# -- freezing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("origin", ["spec", "model"])
def test_layers_are_frozen_from_any_start(tmp_path, base, recipe, origin):
    asked = {"net_spec": NET_SPEC} if origin == "spec" else {"continue_from": base[0]}
    found, _ = start(tmp_path, recipe, freeze_below=4, **asked)
    assert marked(frozen(found)) == {1, 3}
    if recipe == "fast":
        state = core_state(found.snapshot.state.opt_state)
        assert isinstance(state, optax.ScaleByAdamState)
        below = [params_below(part, "3") for part in (state.mu, state.nu)]
        assert not any(map(np.any, jax.tree.leaves(below)))
    with pytest.raises(SpecError, match="nothing to train"):
        start(tmp_path, recipe, freeze_below=6, **asked)


def test_gradient_of_frozen_layers_is_zero_and_that_of_others_is_not():
    spec = "[1,6,0,1 Ct3,3,2 Mp3,2 Lfys3 Lfx2 O1c1]"
    root = parse(spec, 5).root
    headers = _headers_of_new(root)
    params = build(root).init(jax.random.key(0))
    held = Identity(root, spec, 4, freeze_below(headers, 4)).frozen(params)
    model = update.make_model(root, TrainConfig(), held)
    images = jax.random.uniform(jax.random.key(1), (6, 8, 1, 1))

    def total(params):
        logits, _ = model.apply(params, images, jnp.array([8]), None)
        return (logits * logits).sum()

    sizes = jax.tree.map(lambda g: float(np.abs(g).max()), jax.grad(total)(params))
    for size, hold in zip(jax.tree.leaves(sizes), jax.tree.leaves(held), strict=True):
        assert (size == 0) is hold


def _headers_of_new(root):
    from lstmjax.nn.convert import Writing, record_of

    shapes = jax.eval_shape(build(root).init, jax.random.key(0))
    params = jax.tree.map(lambda s: np.zeros(s.shape, s.dtype), shapes)
    return headers_of(record_of(root, params, Writing(2, 192)))


# -- another character set ---------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
def test_outputs_of_common_characters_keep_their_weights(tmp_path, base, recipe):
    path, record = base
    charsets = smaller_charset(tmp_path)
    found, said = start(
        tmp_path, recipe, charsets=charsets, continue_from=path, old_traineddata=str(DEMO)
    )
    assert "Code range changed from 76 to 71!\nNum (Extended) outputs,weights in Series:\n" in said
    assert "  Fc71:71, 923\n" in said
    assert "Previous null char=75 mapped to 70\nContinuing from" in said
    old, new = codec_of(DEMO), codec_of(charsets)
    before = params_of(record.recognizer.network)["5"]["w"]
    after = found.snapshot.state.params["5"]["w"]
    for text in ("a", "B", "7"):
        at_old, at_new = old.encode(text)[0], new.encode(text)[0]
        np.testing.assert_array_equal(after[:, at_new], before[:, at_old])
    np.testing.assert_array_equal(after[:, new.null_char], before[:, old.null_char])
    assert found.outputs_remapped
    if recipe == "tesseract":
        moments = found.snapshot.state.opt_state
        assert isinstance(moments, Moments)
        updates = moments.updates
        assert not any(map(np.any, jax.tree.leaves(params_below(updates, "5"))))
        assert any(map(np.any, jax.tree.leaves(params_below(updates, "4"))))


def test_codes_of_unknown_characters_have_no_counterpart(tmp_path):
    small, large = codec_of(smaller_charset(tmp_path)), codec_of(DEMO)
    there = code_map(large, small)
    assert sum(code < 0 for code in there) == 5
    assert there[large.null_char] == small.null_char
    assert code_map(small, small) == list(range(small.num_codes))
    back = code_map(small, large)
    assert all(there[back[code]] == code for code in range(small.num_codes))


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("", "Must supply the old traineddata for code conversion!"),
        ("smaller", "has 71 codes, but .* has 76 outputs: it was trained with another"),
        ("missing", "cannot be read"),
        ("not one", "not a traineddata file"),
    ],
)
def test_old_character_set_must_be_that_of_the_model(tmp_path, base, old, message):
    charsets = smaller_charset(tmp_path)
    name = {"": "", "smaller": charsets, "missing": tmp_path / "none", "not one": base[0]}[old]
    with pytest.raises(TrainError, match=message):
        start(tmp_path, charsets=charsets, continue_from=base[0], old_traineddata=str(name))
    with pytest.raises(TrainError, match=f"Failed to continue from: {re.escape(base[0])}"):
        start(
            tmp_path, "tesseract",
            charsets=charsets, continue_from=base[0], old_traineddata=str(name),
        )  # fmt: skip


def test_outputs_fed_back_are_refused(tmp_path):
    path, _ = make_base(tmp_path, "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 LS6]")
    with pytest.raises(SpecError, match="feeds its outputs back into itself"):
        start(
            tmp_path, charsets=smaller_charset(tmp_path),
            continue_from=path, old_traineddata=str(DEMO),
        )  # fmt: skip


# -- models, whole and int8 --------------------------------------------------------------------


def test_whole_model_is_for_recipe_fast_only(tmp_path, base):
    whole, component = make_model(tmp_path, base[1])
    found, said = start(tmp_path, continue_from=whole)
    same_arrays(found.snapshot.state.params, params_of(base[1].recognizer.network))
    assert "Warning" not in said
    _, said = start(tmp_path, "tesseract", continue_from=component)
    assert "Warning: LSTMTrainer deserialized an LSTMRecognizer!" in said
    with pytest.raises(TrainError, match=r"combine_tessdata -e .*\nFailed to continue from"):
        start(tmp_path, "tesseract", continue_from=whole)
    with pytest.raises(FormatError, match="no lstm component"):
        start(tmp_path, continue_from=str(DEMO))


def test_whole_model_brings_its_own_character_set(tmp_path, base):
    whole, _ = make_model(tmp_path, base[1])
    found, said = start(tmp_path, charsets=smaller_charset(tmp_path), continue_from=whole)
    assert "Code range changed from 76 to 71!" in said
    assert found.identity.null_char == 70


@pytest.mark.parametrize("recipe", RECIPES)
def test_int8_model_is_taken_only_when_asked_for(tmp_path, base, recipe):
    _, component = make_model(tmp_path, base[1], as_int=True)
    advice = "is an integer .fast. model, cannot continue training; take the float model"
    with pytest.raises(TrainError, match=advice):
        start(tmp_path, recipe, continue_from=component)
    found, _ = start(tmp_path, recipe, continue_from=component, allow_int_start=True)
    exact = params_of(base[1].recognizer.network)
    for got, wanted in zip(
        jax.tree.leaves(found.snapshot.state.params), jax.tree.leaves(exact), strict=True
    ):
        assert np.abs(got - wanted).max() <= np.abs(wanted).max() / 126
    assert not save_start(found, tmp_path / "c").recognizer.int_mode


# -- rates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "settings", "reset", "rate"),
    [
        ("fast", {}, False, 0.002),
        ("fast", {"learning_rate": 0.01}, False, 0.01),
        ("fast", {"learning_rate": 0.01}, True, 0.01),
        ("tesseract", {"learning_rate": 0.01}, False, 0.002),
        ("tesseract", {"learning_rate": 0.01}, True, 0.01),
    ],
)
def test_learning_rate_is_the_files_or_the_users(tmp_path, recipe, settings, reset, rate):
    path, _ = make_base(tmp_path, learning_rate=0.002, momentum=0.75)
    found, said = start(
        tmp_path, recipe, continue_from=path, reset_learning_rate=reset, settings=settings
    )
    assert found.config.learning_rate == pytest.approx(rate)
    assert ("Set learning rate to 0.010000" in said) is reset
    state = found.snapshot.state.opt_state
    if recipe == "tesseract":
        assert isinstance(state, Moments)
        assert jax.tree.leaves(state.rates)[-1] == pytest.approx(rate)
        assert found.config.momentum == 0.75
    else:
        assert set(map(float, jax.tree.leaves(rate_factors(state)))) == {1.0}


def test_moments_do_not_depend_on_the_new_rate(tmp_path, base):
    slow, _ = start(tmp_path, continue_from=base[0])
    quick, _ = start(tmp_path, continue_from=base[0], settings={"learning_rate": 0.1})
    one, two = (core_state(found.snapshot.state.opt_state) for found in (slow, quick))
    assert isinstance(one, optax.ScaleByAdamState)
    assert isinstance(two, optax.ScaleByAdamState)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), one.mu, two.mu)


# -- the real tool -----------------------------------------------------------------------------

REPORT = re.compile(r"^At iteration .*?ratio=\S+,", re.M)
TINY = "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lbx6 O1c1]"


def compare(folder, stages, *arguments):
    """Run stages with either program; the log of the last, whoever ran those before."""

    def run(tool, name, iterations):
        command = flags(folder / name, *arguments, iterations=iterations)
        command[command.index("--net_spec") + 1] = HEAD if "--append_index" in arguments else TINY
        if tool == "real":
            result = run_real("lstmtraining", *command[1:], cwd=EXAMPLES)
        else:
            result = run_lstmjax(
                *command, "--recipe", "tesseract", env={"LSTMJAX_NO_REEXEC": "1"}, cwd=EXAMPLES
            )
        assert result.returncode == 0, result.stderr
        return result.stderr

    logs = {}
    for first, second in stages:
        run(first, f"{first}-{second}", 10)
        logs[first, second] = run(second, f"{first}-{second}", 20)
    return {key: REPORT.findall(log) for key, log in logs.items()}, logs


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that the real tool trained for some lines."""
    folder = tmp_path_factory.mktemp("trained")
    command = flags(folder / "m", iterations=30)
    command[command.index("--net_spec") + 1] = TINY
    assert run_real("lstmtraining", *command[1:], cwd=EXAMPLES).returncode == 0
    return folder / "m_checkpoint"


@pytest.mark.reference
@pytest.mark.parametrize("change", ["append", "character set"])
def test_log_and_checkpoint_are_those_of_the_real_tool(tmp_path, trained, change):
    extra = ["--continue_from", trained]
    if change == "append":
        extra += ["--append_index", "3", "--net_mode", "64"]
    else:
        larger = tmp_path / "demo.traineddata"
        traineddata.save(traineddata.load(DEMO), larger)
        charsets = smaller_charset(tmp_path)
        extra += ["--old_traineddata", larger, "--traineddata", charsets]
    stages = [("real", "real"), ("real", "ours"), ("ours", "real")]
    reports, _ = compare(tmp_path, stages, *extra)
    assert reports["real", "real"] == reports["real", "ours"] == reports["ours", "real"]
    one, two = (
        recognizer_in(checkpoint.load(tmp_path / f"{name}_checkpoint"))
        for name in ("real-real", "real-ours")
    )
    assert to_plain(headers_of(one.network)) == to_plain(headers_of(two.network))
    assert lstm.describe(one) == lstm.describe(two)
    for a, b in zip(one.network.walk(), two.network.walk(), strict=True):
        for m, n in zip(a.matrices, b.matrices, strict=True):
            np.testing.assert_allclose(m.weights, n.weights, atol=1e-5)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--append_index", "99"], "Failed to create network from spec"),
        (["--traineddata", "smaller"], "Must supply the old traineddata for code conversion!"),
    ],
    ids=["append_index", "no old_traineddata"],
)
def test_refusals_have_the_sentences_of_the_real_tool(tmp_path, trained, arguments, message):
    names = {"smaller": smaller_charset(tmp_path)}
    command = flags(tmp_path / "m", "--continue_from", trained)
    command += [names.get(argument, argument) for argument in arguments]
    real = run_real("lstmtraining", *command[1:], cwd=EXAMPLES)
    assert real.returncode == 1
    assert message in real.stderr
    asked = dict(zip(arguments[::2], arguments[1::2], strict=True))
    with pytest.raises(LstmjaxError, match=message):
        start(
            tmp_path, "tesseract",
            charsets=names["smaller"] if "--traineddata" in asked else DEMO,
            continue_from=str(trained),
            append_index=int(asked.get("--append_index", -1)),
            net_spec=NET_SPEC,
        )  # fmt: skip
