"""Fonts and texts of the tests of `render`."""

from pathlib import Path

import matplotlib
import numpy as np

from lstmjax.render import Face

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
SANS = FONTS / "DejaVuSans.ttf"

TEXTS = {
    "eng": 'The quick brown fox jumps over the lazy dog; 1,234.50 (no. 7) - "well-known" ffi.\n',
    "rus": "Съешь же ещё этих мягких французских булок, да выпей чаю — № 5, «кавычки».\n",
    "heb": "שלום עולם, זה טקסט (abc 123) בעברית.\nהשורה השנייה נמשכת עוד קצת, ועוד קצת.\n",
    "ara": "مرحبا بالعالم، هذا نص عربي 123 للاختبار (قوس).\nالسطر الثاني من النص abc هنا.\n",
    "hin": "यह एक परीक्षण है, जिसमें कुछ शब्द हैं। हिन्दी में लिखा गया पाठ।\n",
    "chi_sim": "今天天气很好，我们去公园散步。这是一个测试 test 123。\n第二行：（括号）！\n",
}
"""A line or two in several scripts."""


def sans(pixels: float = 50.0) -> Face:
    """DejaVu Sans as matplotlib brings it along."""
    return Face(SANS, pixels)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """An image of random greys: [H, W] uint8."""
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
