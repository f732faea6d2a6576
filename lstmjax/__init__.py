"""Train and run line recognition models for Tesseract; see `load` and the command `lstmjax`.

Names are imported when they are first used, so that `import lstmjax` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmjax.errors import LstmjaxError as LstmjaxError
    from lstmjax.infer.recognise import LineRecognizer as LineRecognizer
    from lstmjax.infer.recognise import load as load

    __version__: str

_HOMES = {
    "LineRecognizer": "lstmjax.infer.recognise",
    "LstmjaxError": "lstmjax.errors",
    "load": "lstmjax.infer.recognise",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("lstmjax")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lstmjax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, "__version__"])
