"""The error rates of a model from Python, without a list file or a subprocess."""

from collections.abc import Callable

from lstmjax.data.samples import Source, index_of
from lstmjax.formats.files import PathLike
from lstmjax.infer.evaluate import Evaluation, LineReading
from lstmjax.infer.evaluate import evaluate as evaluate_index
from lstmjax.infer.recognise import LineRecognizer, load


def evaluate(
    model: LineRecognizer | PathLike,
    lines: Source,
    *,
    traineddata: PathLike | None = None,
    max_image_mb: int = 2000,
    on_line: Callable[[LineReading], None] | None = None,
) -> Evaluation:
    """Read lines with known text and count the errors, as `lstmeval` does.

    Args:
      model: from `load`; or the path of a traineddata, a checkpoint or an `.lstm` file; or the
        base name of a run for its best state.
      lines: a list file, a document, or the paths of several.
      traineddata: the character set of a checkpoint or `.lstm` file given by its path.
      max_image_mb: memory for images, in units of 2^20 bytes.
      on_line: called with each reading as it is ready.
    Returns: readings, skipped lines and error rates; `cer.rate` and `wer.rate` are the true ones,
      `bcer` and `bwer` Tesseract's, all as fractions.
    Raises: FormatError: damaged files. DataError: not a single line can be used.

    Example:
      >>> result = lstmjax.evaluate("out/my.traineddata", "examples/eval.list")
      >>> print(f"{100 * result.cer.rate:.2f}% of the characters are wrong")
    """
    if not isinstance(model, LineRecognizer):
        model = load(model, traineddata)
    return evaluate_index(
        model.forward, index_of(lines), max_bytes=max_image_mb << 20, on_line=on_line
    )
