"""Train and run line recognition models for Tesseract.

docs/api.md shows how to use these names, docs/design.md what each package holds. A name is imported
when it is first used, so `import lstmjax` takes only milliseconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmjax.charset.starter import combine_lang_model as combine_lang_model
    from lstmjax.charset.starter import make_starter as make_starter
    from lstmjax.charset.starter import make_unicharset as make_unicharset
    from lstmjax.data.samples import read_lines as read_lines
    from lstmjax.errors import LstmjaxError as LstmjaxError
    from lstmjax.flax_bridge import from_linen as from_linen
    from lstmjax.flax_bridge import to_linen as to_linen
    from lstmjax.infer.measure import evaluate as evaluate
    from lstmjax.infer.recognise import LineRecognizer as LineRecognizer
    from lstmjax.infer.recognise import load as load
    from lstmjax.training.api import TrainingResult as TrainingResult
    from lstmjax.training.api import train as train
    from lstmjax.training.api import write_model as write_model
    from lstmjax.training.config import TrainConfig as TrainConfig
    from lstmjax.training.fast.fit import Network as Network
    from lstmjax.training.fast.fit import fit as fit

    __version__: str

_HOMES = {
    "LineRecognizer": "lstmjax.infer.recognise",
    "LstmjaxError": "lstmjax.errors",
    "Network": "lstmjax.training.fast.fit",
    "TrainConfig": "lstmjax.training.config",
    "TrainingResult": "lstmjax.training.api",
    "combine_lang_model": "lstmjax.charset.starter",
    "evaluate": "lstmjax.infer.measure",
    "fit": "lstmjax.training.fast.fit",
    "from_linen": "lstmjax.flax_bridge",
    "load": "lstmjax.infer.recognise",
    "make_starter": "lstmjax.charset.starter",
    "make_unicharset": "lstmjax.charset.starter",
    "read_lines": "lstmjax.data.samples",
    "to_linen": "lstmjax.flax_bridge",
    "train": "lstmjax.training.api",
    "write_model": "lstmjax.training.api",
}
"""Public name -> module that defines it."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("lstmjax")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lstmjax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, "__version__"])
