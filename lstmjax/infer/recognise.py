"""Reading line images as the tesseract program does in page segmentation mode 13."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lstmjax.data.decode import decode as decode_image
from lstmjax.data.image import SizeProblem, as_grey, scale_line, scaled_size, size_problem
from lstmjax.data.scale import Pixels
from lstmjax.errors import DataError
from lstmjax.formats.files import PathLike
from lstmjax.infer.choose import make_forward
from lstmjax.infer.forward import BATCH, Forward, LineToRead
from lstmjax.infer.model import LoadedModel, load_model
from lstmjax.infer.printed import INVERT_BELOW, printed
from lstmjax.netspec.tree import x_scale

LineImage = Image.Image | NDArray | bytes | str | os.PathLike[str]


@dataclass(frozen=True)
class LineRecognizer:
    """A model that reads images of single text lines; make it with `load`.

    Attributes:
      model: network, weights and character set.
      forward: model ready to read.
    """

    model: LoadedModel
    forward: Forward

    def recognize(self, image: LineImage, *, dictionary: bool = True) -> str:
        """Read one line; see `recognize_lines`."""
        return self._read([image], dictionary, batch=1)[0]

    def recognize_lines(self, images: Iterable[LineImage], *, dictionary: bool = True) -> list[str]:
        """Read many lines, several at once.

        Characters come in the order they stand in the image, from left to right, also in scripts
        that are written from right to left. Light text on a dark ground is found out and read.

        Args:
          images: each an image of one line: a Pillow image, a NumPy array ([h, w] or [h, w, 3]
            uint8, or [h, w] bool with True for white), the bytes of an image file or a path.
          dictionary: whether to prefer the words, numbers and punctuation of the model's lists,
            if it has any.
        Returns: a text for each; empty where an image is too small for any text.
        Raises: DataError: an image cannot be read; says which and why.
        """
        return self._read(list(images), dictionary, batch=BATCH)

    def _read(self, images: list[LineImage], dictionary: bool, *, batch: int) -> list[str]:
        texts = [""] * len(images)
        places: list[int] = []
        lines: list[LineToRead] = []
        for place, image in enumerate(images):
            pixels = self._scaled(image, f"image {place + 1} of {len(images)}")
            if pixels is not None:
                places.append(place)
                lines.append(LineToRead(pixels, self.model.sample_iteration, INVERT_BELOW))
        for i, probs in self.forward.outputs(lines, batch=batch):
            texts[places[i]] = printed(self.model, probs, use_dictionary=dictionary).text
        return texts

    def _scaled(self, image: LineImage, name: str) -> Pixels | None:
        """The image as the network wants it; None if it is too small."""
        pixels = as_grey(_decoded(image, name))
        shape = self.model.input_shape
        height, width = pixels.shape[:2]
        size = scaled_size(width, height, shape.target_height)
        if size_problem(*size, x_scale(self.model.root)) is SizeProblem.TOO_SMALL:
            return None
        try:
            return scale_line(pixels, shape)
        except DataError as err:
            raise DataError(f"{name}: {err}") from None


def _decoded(image: LineImage, name: str) -> NDArray:
    if not isinstance(image, np.ndarray):
        return decode_image(image, None if isinstance(image, str | os.PathLike) else name)
    grey = image.ndim == 2 and image.dtype in (np.uint8, np.bool_)
    colour = image.ndim == 3 and image.shape[2] in (3, 4) and image.dtype == np.uint8
    if not (grey or colour) or not image.size:
        raise DataError(
            f"{name}: an array of {image.dtype} and shape {list(image.shape)}; expected uint8 "
            "[height, width] or [height, width, 3], or bool [height, width]"
        )
    return decode_image(Image.fromarray(image), name)


def load(path: PathLike, traineddata: PathLike | None = None) -> LineRecognizer:
    """Load a model for reading.

    Args:
      path: a traineddata; a checkpoint or `.lstm` file; or the base name of a run (its
        `model_output`) for its best state.
      traineddata: traineddata that a checkpoint was trained with.
    Raises: FormatError: damaged files, or files that do not belong together.
    """
    model = load_model(path, traineddata)
    return LineRecognizer(model, make_forward(model))
