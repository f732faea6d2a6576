"""What the tesseract program prints for a line, in page segmentation mode 13.

The true error rates compare this text with the truth. It differs from what the training tools
compare: an image of two values is scaled in grey, the beam search prefers words of the model's
lists, and characters come as they are in the unicharset, not in their normed form.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32

from lstmjax.infer.network import Network

INVERT_BELOW = 0.7  # the tesseract program's invert_threshold


@dataclass(frozen=True, eq=False)
class Printed:
    """A line as printed.

    Attributes:
      text: characters in the order they stand in the image, words divided by single spaces.
      codes: codes that were read, without nulls; spaces at the ends and double ones included.
    """

    text: str
    codes: Int32[np.ndarray, " L"]


def printed(
    model: Network, probs: Float32[np.ndarray, "T K"], *, use_dictionary: bool = True
) -> Printed:
    """Read a line from its class probabilities; other threads may run meanwhile.

    Args:
      model: network whose outputs these are.
      probs: [T, K] softmax outputs.
      use_dictionary: whether to prefer the words of the model's lists, if it has any.
    """
    codec = model.codec
    if model.simple_text:
        codes = decode(model, probs)
        return Printed(" ".join(codec.decode(codes, normed=False).split()), codes)
    read = model.word_reader.search(probs, use_dictionary=use_dictionary)
    spelled = [code for each in read.unichar_ids.tolist() for code in codec.recoder.codes[each]]
    return Printed(model.word_reader.text(read), np.array(spelled, np.int32))


def decode(model: Network, probs: Float32[np.ndarray, "T K"]) -> Int32[np.ndarray, " L"]:
    """Read a line as the training tools do: by beam search without dictionary.

    Args:
      model: network whose outputs these are.
      probs: [T, K] normalised probabilities.
    Returns: [L] codes without nulls.
    """
    return model.decoder.read(probs)[0]
