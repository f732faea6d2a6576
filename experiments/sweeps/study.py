"""Opens and makes studies, and checks that a study belongs to the search space."""

import os
from pathlib import Path

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from lstmjax.errors import UsageError

from .space import Space

FORMAT = 1
NAME = "sweep"


def is_url(where: str) -> bool:
    """Whether a study is in a database, not in a file."""
    return "://" in where


def base_of(where: str) -> str:
    """The beginning of the names of everything that belongs to a study."""
    return "sweep" if is_url(where) else os.path.splitext(where)[0]


def _storage(where: str, *, create: bool) -> BaseStorage:
    if is_url(where):
        try:
            return RDBStorage(where)
        except Exception as err:  # drivers fail in ways of their own
            raise UsageError(f"--study {where}: the database cannot be used: {err}") from err
    path = Path(where)
    if not create and not path.exists():
        raise UsageError(f"--study {where}: there is no such study")
    if path.is_dir():
        raise UsageError(f"--study {where}: this is a folder; name a file in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(where))
    except OSError as err:
        raise UsageError(f"--study {where}: cannot be used: {err.strerror or err}") from err
    except Exception as err:  # whatever is in the file, it is no journal
        raise UsageError(f"--study {where}: this is not a file of studies: {err!r}") from err


def sampler_for(space: Space, place: int) -> BaseSampler:
    """The sampler that chooses the parameters of a place.

    What it draws depends on the place only, so workers that know nothing of each other do not
    draw the same, however many there are and whenever they begin.
    """
    seed = space.study["seed"] + place
    if space.study["sampler"] == "tpe":
        return TPESampler(
            seed=seed, n_startup_trials=space.study["startup_trials"], constant_liar=True
        )
    return RandomSampler(seed=seed)


def _pruner(space: Space) -> BasePruner:
    kind, startup = space.study["pruner"], space.study["startup_trials"]
    if kind == "median":
        return MedianPruner(startup, space.study["warmup_lines"])
    if kind == "halving":
        return SuccessiveHalvingPruner(min_resource="auto", reduction_factor=3)
    return NopPruner()


def open_study(where: str, space: Space) -> optuna.Study:
    """Open the study of a search space, or begin it.

    Args:
      where: a file, or the URL of a database.
      space: search space.
    Raises: UsageError: it cannot be used, or belongs to another search space or version.
    """
    storage = _storage(where, create=True)
    study = optuna.create_study(
        storage=storage,
        study_name=NAME,
        load_if_exists=True,
        direction="minimize",
        pruner=_pruner(space),
    )
    # Workers may begin at once: none may see a format without the space that it goes with.
    if "format" not in study.user_attrs and not study.get_trials(deepcopy=False):
        study.set_user_attr("space", space.digest)
        study.set_user_attr("search", sorted(space.search))
        study.set_user_attr("format", FORMAT)
    _check_format(where, study)
    if study.user_attrs.get("space") != space.digest:
        raise UsageError(
            f"--study {where}: it was begun with another search space (of "
            f"{', '.join(study.user_attrs.get('search', []))}); continue it with the file it was "
            "begun with, or name a new study"
        )
    return study


def load_study(where: str) -> optuna.Study:
    """Open an existing study to look at.

    Raises: UsageError: there is none, or it is no sweep of this version.
    """
    storage = _storage(where, create=False)
    try:
        study = optuna.load_study(study_name=NAME, storage=storage)
    except KeyError:
        raise UsageError(f"--study {where}: it holds no sweep") from None
    _check_format(where, study)
    return study


def _check_format(where: str, study: optuna.Study) -> None:
    found = study.user_attrs.get("format")
    if found != FORMAT:
        kind = "no sweep of this program" if found is None else f"a sweep of format {found}"
        raise UsageError(
            f"--study {where}: it is {kind}; this version reads format {FORMAT}: name a new study"
        )
