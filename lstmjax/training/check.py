"""Rules on what a run is asked to do, whoever asks: commands and Python word only the names.

Nothing heavy is imported, so that a command can refuse at once. Each recipe has rules of its own
beside these, in its `check` module.
"""

from collections.abc import Callable

from lstmjax.data.augmentation import parse_augmentation
from lstmjax.errors import UsageError
from lstmjax.training.config import ADAM, LAYER_SPECIFIC_RATES, TrainConfig
from lstmjax.training.request import Request

Named = Callable[[str], str]
"""The name that a caller knows a setting by, such as `--batch` for batch."""


def flag(name: str) -> str:
    """The name of a setting on the command line."""
    return f"--{name}"


def check(request: Request, config: TrainConfig, named: Named = flag) -> None:
    """Refuse what contradicts itself or has no meaning.

    Args:
      request: files of the run, and what is asked of them.
      config: settings asked for.
      named: gives the name of a setting for messages.
    Raises: UsageError: says what to leave out or to add.
    """
    _check_origin(request, named)
    check_config(config, named)


def check_config(config: TrainConfig, named: Named = flag) -> None:
    """Refuse settings that contradict each other or have no meaning; see `check`."""
    parse_augmentation(config.augment)
    if config.muon and not config.adam:
        raise UsageError(
            f"{named('muon')} changes Adam's steps; leave it out, or add 128 to {named('net_mode')}"
        )
    # Bias correction divides by 1 - momentum**n.
    if config.momentum >= 1 or config.adam_beta >= 1:
        raise UsageError(f"{named('momentum')} and {named('adam_beta')} must be below 1")
    if config.net_mode & ~(LAYER_SPECIFIC_RATES | ADAM):
        raise UsageError(
            f"{named('net_mode')} {config.net_mode}: only 0, 64, 128 and 192 have a meaning"
        )


def _check_origin(request: Request, named: Named) -> None:
    """Refuse to change another model when there is none, or in ways that contradict each other."""
    continue_from = named("continue_from")
    if request.appends:
        if not request.continue_from:
            raise UsageError(f"Must set {continue_from} for appending!")
        if not request.net_spec:
            raise UsageError(
                f"{named('append_index')} needs {named('net_spec')}, the new layers such as "
                "'[O1c1]'"
            )
        if request.old_traineddata:
            raise UsageError(
                f"{named('append_index')} makes new outputs, so there are none for "
                f"{named('old_traineddata')} to convert; leave one of the two out"
            )
    if not request.continue_from:
        for name in ("reset_learning_rate", "old_traineddata", "allow_int_start"):
            if getattr(request, name):
                raise UsageError(f"{named(name)} needs {continue_from}, the model to change")
