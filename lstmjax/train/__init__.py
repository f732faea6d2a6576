"""Training; `lstmjax.train(...)` calls `lstmjax.train.api.train`.

A package cannot have the name of a function beside it, so this one can be called itself.
"""

import sys
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    """The package, called as a function."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Train; see `lstmjax.train.api.train` for arguments and result."""
        from lstmjax.train.api import train

        return train(*args, **kwargs)


sys.modules[__name__].__class__ = _Package
