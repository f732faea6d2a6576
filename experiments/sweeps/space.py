"""A search space: which settings are fixed, which are tried, read from a TOML file.

[data]
traineddata = "../data/eng.traineddata"       # paths are relative to the file, ${NAMES} expanded
train_listfile = "train.list"
eval_listfile = "eval.list"

[study]                                       # all optional
sampler = "tpe"                               # tpe, random or grid
pruner = "median"                             # median, halving or none
seed = 0

[fixed]                                       # net_spec and fields of TrainConfig
net_spec = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys{column} Lfx{row} O1c1]"
max_iterations = 4000

[search]                                      # the same names, and those in braces
learning_rate = { low = 3e-4, high = 1e-2, log = true }
batch = { choices = [4, 8] }
column = { low = 16, high = 64, step = 16 }
row = { choices = [48, 96] }
"""

import difflib
import hashlib
import itertools
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lstmjax.errors import UsageError
from lstmjax.training.config import TrainConfig

SAMPLERS = ("tpe", "random", "grid")
PRUNERS = ("median", "halving", "none")
_FILES = ("traineddata", "train_listfile", "eval_listfile", "continue_from")
_STUDY = {"sampler": "tpe", "pruner": "median", "seed": 0, "startup_trials": 5, "warmup_lines": 0}
_FIELDS = frozenset(field.name for field in fields(TrainConfig)) - {"recipe"}
_PLACE = re.compile(r"\{(\w+)\}")
_MOST_POINTS = 100_000


@dataclass(frozen=True)
class Choice:
    """One of some values; values that are tables or lists are kept as JSON."""

    values: tuple[bool | int | float | str, ...]

    def points(self) -> tuple[Any, ...]:
        """All values."""
        return self.values


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, whole ones if both are; with a step or on a log scale."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None

    @property
    def whole(self) -> bool:
        """Whether these are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def points(self) -> tuple[Any, ...]:
        """All values; without a step only for whole numbers."""
        step = self.step or (1 if self.whole and not self.log else None)
        if step is None:
            raise UsageError("needs a step or choices, so that a grid has an end")
        count = int((self.high - self.low) / step + 1e-9) + 1
        if count > _MOST_POINTS:
            raise UsageError(f"has {count} values, too many for a grid; use a larger step")
        return tuple(self.low + i * step for i in range(count))


@dataclass(frozen=True)
class Space:
    """A search space, and the settings that all runs share.

    Attributes:
      data: files of the training runs, absolute paths.
      study: sampler, pruner and their settings.
      fixed: settings that all runs share.
      search: settings that are tried.
    """

    data: Mapping[str, str]
    study: Mapping[str, Any]
    fixed: Mapping[str, Any]
    search: Mapping[str, Choice | Range]

    @property
    def digest(self) -> str:
        """A digest of the search space, independent of the folders of the data."""
        names = {key: os.path.basename(path) for key, path in self.data.items()}
        parts = [names, self.study["sampler"], self.fixed, _plain(self.search)]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def settings(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments of a training run with these values: files, network, settings."""
        places = set(_PLACE.findall(str(self.fixed.get("net_spec", ""))))
        chosen = {
            name: _decoded(value) if isinstance(self.search[name], Choice) else value
            for name, value in params.items()
        }
        settings = {"devices": 1, **self.fixed}
        settings |= {name: value for name, value in chosen.items() if name not in places}
        if "net_spec" in settings:
            settings["net_spec"] = _PLACE.sub(
                lambda found: str(chosen.get(found[1], found[0])), settings["net_spec"]
            )
        return {**self.data, **settings}

    def grid(self) -> list[dict[str, Any]]:
        """All combinations, the last setting changing fastest."""
        points = [one.points() for one in self.search.values()]
        return [dict(zip(self.search, each, strict=True)) for each in itertools.product(*points)]


def _plain(search: Mapping[str, Choice | Range]) -> dict[str, Any]:
    return {
        name: list(one.values)
        if isinstance(one, Choice)
        else [one.low, one.high, one.log, one.step]
        for name, one in search.items()
    }


_JSON = "json:"


def _encoded(value: Any) -> bool | int | float | str:
    """A value that a study can store."""
    return _JSON + json.dumps(value) if isinstance(value, dict | list) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_JSON):
        return json.loads(value.removeprefix(_JSON))
    return value


def load_space(path: str) -> Space:
    """Read a search space.

    Raises: UsageError: it cannot be read, or asks for something that does not exist.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as err:
        raise UsageError(f"{path}: cannot be read: {err.strerror or err}") from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise UsageError(f"{path}: not a TOML file: {err}") from err
    try:
        return _parse(table, Path(path).resolve().parent)
    except UsageError as err:
        raise UsageError(f"{path}: {err}") from None


def _parse(table: dict[str, Any], folder: Path) -> Space:
    _known(table, ("data", "study", "fixed", "search"), "table")
    for name, part in table.items():
        if not isinstance(part, dict):
            raise UsageError(f"{name} is not a table; write [{name}]")
    data = _data(table.get("data", {}), folder)
    study = _study(table.get("study", {}))
    fixed = dict(table.get("fixed", {}))
    places = set(_PLACE.findall(str(fixed.get("net_spec", ""))))
    allowed = _FIELDS | {"net_spec", "recipe"}
    _known(fixed, allowed, "[fixed]: setting")
    _known(table.get("search", {}), allowed | places, "[search]: setting")
    search = {name: _searched(name, one) for name, one in table.get("search", {}).items()}
    if not search:
        raise UsageError("[search] names nothing to try")
    for name in places - set(search):
        raise UsageError(f"[fixed]: net_spec has {{{name}}}, which [search] does not give")
    for name in set(search) & set(fixed):
        raise UsageError(f"{name} is in [fixed] and in [search]; keep one")
    if "net_spec" not in fixed | search and "continue_from" not in data:
        raise UsageError("there is no net_spec, in [fixed] or in [search]")
    if not fixed.get("max_iterations", search.get("max_iterations")):
        raise UsageError("[fixed]: max_iterations is needed, or runs would not end")
    space = Space(data, study, fixed, search)
    if study["sampler"] == "grid":
        _grid_is_finite(search)
    return space


def _known(names: Any, allowed: Any, kind: str) -> None:
    for name in names:
        if name not in allowed:
            near = difflib.get_close_matches(name, sorted(allowed), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{kind} {name!r} does not exist{hint}")


def _data(table: dict[str, Any], folder: Path) -> dict[str, str]:
    _known(table, _FILES, "[data]: file")
    for name in _FILES[:3]:
        if name not in table:
            raise UsageError(f"[data] lacks {name}")
    found = {}
    for name, value in table.items():
        path = os.path.expandvars(str(value))
        if "${" in path:
            raise UsageError(f"[data] {name}: {path}: this environment variable is not set")
        found[name] = os.path.normpath(folder / path)
        if not os.path.exists(found[name]):
            raise UsageError(f"[data] {name}: {found[name]} does not exist")
    return found


def _study(table: dict[str, Any]) -> dict[str, Any]:
    _known(table, _STUDY, "[study]: setting")
    study = {**_STUDY, **table}
    for name, allowed in (("sampler", SAMPLERS), ("pruner", PRUNERS)):
        if study[name] not in allowed:
            raise UsageError(
                f"[study]: {name} {study[name]!r} does not exist; expected {', '.join(allowed)}"
            )
    for name in ("seed", "startup_trials", "warmup_lines"):
        if type(study[name]) is not int or study[name] < 0:
            raise UsageError(f"[study]: {name} must be a whole number from 0, not {study[name]!r}")
    return study


def _searched(name: str, one: Any) -> Choice | Range:
    try:
        return _read_search(one)
    except UsageError as err:
        raise UsageError(f"[search] {name}: {err}") from None


def _read_search(one: Any) -> Choice | Range:
    if not isinstance(one, dict):
        raise UsageError("write { choices = [...] } or { low = ..., high = ... }")
    if "choices" in one:
        _known(one, ("choices",), "key")
        values = one["choices"]
        if not isinstance(values, list) or not values:
            raise UsageError("choices must be a list with at least one value")
        return Choice(tuple(_encoded(value) for value in values))
    _known(one, ("low", "high", "log", "step"), "key")
    numbers = [one.get(key) for key in ("low", "high")]
    if any(type(number) not in (int, float) for number in numbers):
        raise UsageError("low and high must be numbers")
    found = Range(one["low"], one["high"], one.get("log", False), one.get("step"))
    _check_range(found)
    return found


def _check_range(found: Range) -> None:
    if not found.low < found.high:
        raise UsageError(f"low ({found.low}) must be below high ({found.high})")
    if type(found.log) is not bool:
        raise UsageError("log must be true or false")
    if found.log and (found.low <= 0 or found.step is not None):
        raise UsageError("on a log scale low must be above 0, and there is no step")
    step = found.step
    if step is not None and (type(step) not in (int, float) or step <= 0):
        raise UsageError("step must be a number above 0")
    if step is not None and found.whole and not isinstance(step, int):
        raise UsageError("step must be a whole number, as low and high are")


def _grid_is_finite(search: Mapping[str, Choice | Range]) -> None:
    total = 1
    for name, one in _named(search):
        try:
            total *= len(one.points())
        except UsageError as err:
            raise UsageError(f"[search] {name}: {err}") from None
    if total > _MOST_POINTS:
        raise UsageError(f"the grid has {total} points; use sampler tpe or random")


def _named(search: Mapping[str, Choice | Range]) -> Iterator[tuple[str, Choice | Range]]:
    yield from search.items()
