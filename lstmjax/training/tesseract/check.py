"""What recipe tesseract cannot honour, because the original has no such thing."""

from lstmjax.data.augmentation import parse_augmentation
from lstmjax.errors import UsageError
from lstmjax.training.check import Named
from lstmjax.training.config import TrainConfig


def check_settings(config: TrainConfig, named: Named) -> None:
    """Refuse settings that only recipe fast has.

    Args:
      config: settings asked for.
      named: gives the name of a setting for messages.
    Raises: UsageError: says what to leave out.
    """
    recipe = f"{named('recipe')}=tesseract"
    if config.batch != 1:
        raise UsageError(f"{recipe} trains one line at a time; leave out {named('batch')}")
    if config.muon:
        raise UsageError(f"{recipe} updates as the original does; leave out {named('muon')}")
    if config.devices > 1:
        raise UsageError(f"{recipe} trains one line at a time; leave out {named('devices')}")
    if config.optimizer is not None:
        raise UsageError(f"{recipe} does as the original; it takes no {named('optimizer')}")
    if parse_augmentation(config.augment).on:
        raise UsageError(f"{recipe} takes lines as they are; leave out {named('augment')}")
    usual = TrainConfig()
    for name in ("eval_interval", "precision", "seed"):
        if getattr(config, name) != getattr(usual, name):
            raise UsageError(f"{recipe} does as the original, which has no {named(name)}")
