"""What the tests of data share."""

import ctypes.util

import pytest
from data.leptonica import Leptonica
from helpers import IN_CI


@pytest.fixture(scope="module")
def leptonica():
    """The real image library; required under CI, else a skip without it."""
    path = ctypes.util.find_library("lept") or ctypes.util.find_library("leptonica")
    if path is None:
        message = "Leptonica is not installed (it comes with tesseract-ocr)"
        if IN_CI:
            pytest.fail(message)
        pytest.skip(message)
    return Leptonica(path)
