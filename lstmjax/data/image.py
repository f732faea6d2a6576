"""Line images to network input: scaling to the height that a network expects, then contrast.

The input of a network is given by three numbers of its net_spec: height, width and depth. A height
of 1 means that whole columns are features: the image is scaled to `depth` rows. 0 stands for a
size that may vary.
"""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmjax.data import scale as scale_module
from lstmjax.data.random import MinStd
from lstmjax.data.scale import Pixels, scale, scaled_side
from lstmjax.errors import DataError

# With a variable height, higher images are scaled to this many rows.
MAX_VARIABLE_HEIGHT = 48
MAX_WIDTH_PER_HEIGHT = 128
# A few low rows could otherwise grow beyond any memory.
MAX_SCALED_PIXELS = 1 << 24
_INT8_MAX = 127

Input = NDArray[np.float32]


class SizeProblem(enum.Enum):
    """Why an image of some size cannot be learnt from."""

    TOO_SMALL = "the scaled image is smaller than one time step of the network"
    TOO_LARGE = f"the scaled image is more than {MAX_WIDTH_PER_HEIGHT} times as wide as high"


@dataclass(frozen=True)
class InputShape:
    """The input of a network: `height, width, depth` of its net_spec; 0 means variable."""

    height: int
    width: int
    depth: int

    def __post_init__(self) -> None:
        if self.height != 1 and self.depth not in (1, 3):
            raise DataError(
                f"the network wants {self.depth} values a pixel; images have 1 (grey) or 3 (colour)"
            )

    @property
    def colour(self) -> bool:
        """Whether red, green and blue are separate inputs."""
        return self.depth == 3 and self.height != 1

    @property
    def target_height(self) -> int:
        """Number of rows of a scaled image, 0 if it depends on the image."""
        return self.depth if self.height == 1 else self.height


def scale_factor(height: int, target: int) -> np.float32:
    """The factor that scales an image of `height` rows to `target` rows (0: variable)."""
    return np.float32(target or min(height, MAX_VARIABLE_HEIGHT)) / np.float32(height)


def scaled_size(
    width: int, height: int, target: int, *, two_valued: bool = False
) -> tuple[int, int]:
    """The width and height of a scaled image, from its size alone; a side may become 0."""
    return scale_module.scaled_size(
        width, height, scale_factor(height, target), two_valued=two_valued
    )


def size_problem(width: int, height: int, min_side: int) -> SizeProblem | None:
    """Judge the size of a scaled image for training and evaluation.

    Args:
      width: scaled width in pixels.
      height: scaled height in pixels.
      min_side: product of the network's x scale factors, in pixels.
    Source: Tesseract src/lstm/lstmrecognizer.cpp, RecognizeLine; src/lstm/input.cpp.
    """
    if width < max(min_side, 1) or height < max(min_side, 1):
        return SizeProblem.TOO_SMALL
    if width > MAX_WIDTH_PER_HEIGHT * height:
        return SizeProblem.TOO_LARGE
    return None


def scale_line(pixels: NDArray, shape: InputShape) -> Pixels:
    """Scale a decoded image to the height and the number of channels that a network expects.

    The image is scaled first and converted to grey or colour afterwards, as in the original.

    Args:
      pixels: [h, w] bool, [h, w] uint8 or [h, w, 3] uint8, as `decode` gives them.
      shape: input shape of the network.
    Returns: [h', w'] uint8 grey, or [h', w', 3] uint8 for networks of depth 3.
    Raises: DataError: the image is so narrow that nothing is left of it, or so low and wide that
        it would become huge.
    """
    factor = scale_factor(pixels.shape[0], shape.target_height)
    height, width = (scaled_side(side, factor) for side in pixels.shape[:2])
    # Checked on the size alone, before any memory is taken.
    if width * height > MAX_SCALED_PIXELS:
        raise DataError(f"too large for this network: {width} x {height} pixels after scaling")
    try:
        scaled = scale(pixels, factor)
    except ValueError as err:
        raise DataError(f"too small for this network: {err}") from None
    if shape.colour:
        return scaled if scaled.ndim == 3 else np.repeat(scaled[..., None], 3, axis=-1)
    return scaled if scaled.ndim == 2 else _luminance(scaled)


def _luminance(pixels: Pixels) -> Pixels:
    """Colour to grey. Source: Leptonica 1.82 src/pixconv.c, pixConvertRGBToGray."""
    weights = np.array([0.3, 0.5, 0.2], np.float32)
    # float32, added from the left, as the original does.
    red, green, blue = (pixels[..., i] * weights[i] for i in range(3))
    return ((red + green + blue) + np.float32(0.5)).astype(np.uint8)


def as_grey(pixels: NDArray) -> NDArray:
    """Convert a two-valued image to grey; return any other unchanged."""
    return pixels.astype(np.uint8) * np.uint8(255) if pixels.dtype == np.bool_ else pixels


def invert(scaled: Pixels) -> Pixels:
    """Swap black and white in a scaled image, for a second try at white-on-black lines."""
    return 255 - scaled


def black_and_white(scaled: Pixels) -> tuple[np.float32, np.float32]:
    """Estimate the levels of ink and paper from the local extremes of the middle row.

    Ink is the 25th percentile of the minima, paper the 75th of the maxima, both interpolated
    inside a grey level; hence they may exceed the levels that occur.

    Args:
      scaled: [h, w] uint8.
    Source: Tesseract src/lstm/networkio.cpp, ComputeBlackWhite.
    """
    row = scaled[scaled.shape[0] // 2].astype(np.int16)
    previous, here, following = row[:-2], row[1:-1], row[2:]
    falls, rises = here < previous, here > previous
    # A plateau counts at both of its ends, as in the original.
    minima = here[(falls & (here <= following)) | (~rises & (here < following))]
    maxima = here[(rises & (here >= following)) | (~falls & (here > following))]
    return _percent_point(minima, 0.25, 0), _percent_point(maxima, 0.75, 255)


def _percent_point(levels: NDArray[np.int16], fraction: float, default: int) -> np.float32:
    """Return a percentile of levels. Source: Tesseract src/ccstruct/statistc.cpp, STATS::ile."""
    counts = np.bincount(levels if len(levels) else [default], minlength=256)
    running = np.cumsum(counts)
    target = min(max(fraction * running[-1], 1.0), float(running[-1]))
    last = int(np.searchsorted(running, target))
    return np.float32(last + 1 - (running[last] - target) / counts[last])


def normalise(
    scaled: Pixels,
    shape: InputShape,
    stream: MinStd | None = None,
    *,
    int8: bool = False,
    levels: tuple[np.float32, np.float32] | None = None,
) -> Input:
    """Turn a scaled image into network input: paper near 1, ink near -1, not clipped.

    For a network of fixed width, wider images are cut on the right and narrower ones padded there
    with noise.

    Args:
      scaled: [h, w] or [h, w, 3] uint8, from `scale_line`.
      shape: input shape of the network.
      stream: source of the noise, which is advanced; None pads with zeros.
      int8: whether to return the integers of an int8 network, as floats.
      levels: `black_and_white(scaled)`, if it is known already.
    Returns: [H, W, D] float32; [1, w, rows] when the network's height is 1.
    Source: Tesseract src/lstm/networkio.cpp, FromPixes, Copy1DGreyImage, Copy2DImage.
    """
    if shape.colour:
        black, white = np.float32(0), np.float32(255)
    else:
        black, white = levels or black_and_white(scaled)
    contrast = (white - black) / np.float32(2)
    if contrast <= 0:
        contrast = np.float32(1)
    # 256 values at most: the arithmetic is done on the levels, not on the pixels.
    values = (np.arange(256, dtype=np.float32) - black) / contrast - np.float32(1)
    if int8:
        values = quantise(values)
    block = values[scaled]
    # Columns become features, [1, w, rows].
    if shape.height == 1:
        block = block.T[None]
    elif block.ndim == 2:
        block = block[..., None]
    block = np.ascontiguousarray(block)
    return _fix_width(block, shape.width, stream, int8) if shape.width else block


def quantise(values: Input) -> Input:
    """Map input values to the integers -127..127 of int8 mode, kept as float32.

    Source: Tesseract src/lstm/networkio.cpp, SetPixel.
    """
    return np.clip(_round_half_away(np.float32(128) * values), -_INT8_MAX, _INT8_MAX)


def _round_half_away(values: NDArray) -> NDArray:
    return np.trunc(values + np.copysign(values.dtype.type(0.5), values))


def _fix_width(block: Input, width: int, stream: MinStd | None, int8: bool) -> Input:
    """Cut or pad [H, w, D] on the right to `width` columns."""
    missing = width - block.shape[1]
    if missing <= 0:
        return np.ascontiguousarray(block[:, :width])
    shape = (block.shape[0], missing, block.shape[2])
    if stream is None:
        noise = np.zeros(shape)
    else:
        noise = stream.signed(int(np.prod(shape)), _INT8_MAX if int8 else 1.0).reshape(shape)
    if int8:
        noise = _round_half_away(noise)
    return np.concatenate([block, noise.astype(np.float32)], axis=1)


def prepare(
    pixels: NDArray, shape: InputShape, stream: MinStd | None = None, *, int8: bool = False
) -> Input:
    """Scale and normalise a decoded image: `normalise(scale_line(...))`."""
    return normalise(scale_line(pixels, shape), shape, stream, int8=int8)
