"""From network outputs to the text of a line, with the dictionary of the model.

Source: tesseract src/lstm/recodebeam.cpp (ExtractBestPathAsWords), src/ccmain/resultiterator.cpp.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from lstmjax.charset import dictionary as dictionary_module
from lstmjax.charset.codec import Codec
from lstmjax.charset.dictionary import Dictionary, build_dictionary
from lstmjax.charset.prefixes import BeamTables
from lstmjax.ctc.lexicon_beam import Read, lexicon_search
from lstmjax.formats.traineddata import TrainedData


@dataclass(frozen=True, eq=False)
class WordReader:
    """Reads lines as words.

    Attributes:
      codec: character set of the model.
      dictionary: words of the model, maybe none.
      keeps_spaces: whether words are divided only where a space was read, as models of scripts
        without spaces ask for in their config (`preserve_interword_spaces`).
    """

    codec: Codec
    dictionary: Dictionary
    keeps_spaces: bool = False

    def search(self, probs: Float32[np.ndarray, "T K"], *, use_dictionary: bool = True) -> Read:
        """Find the best reading of a line.

        Args:
          probs: [T, K] softmax outputs of the network.
          use_dictionary: whether to prefer the words of the model's lists.
        """
        words = self.dictionary if use_dictionary else self._no_words
        return lexicon_search(probs, self._tables, self.codec.null_char, words)

    def text(self, read: Read) -> str:
        """Put words together, each character in the order it stands in the image."""
        parts: list[str] = []
        for start, end in read.words:
            ids = read.unichar_ids[start:end].tolist()
            word = "".join([self._texts[unichar_id] for unichar_id in ids])
            if not word.strip(" "):
                continue
            after_space = start > 0 and read.unichar_ids[start - 1] == 0  # id 0 is the space
            # Words read without a space between them are divided, too, unless spaces are kept.
            if after_space if self.keeps_spaces else parts:
                parts.append(" ")
            parts.append(word)
        return "".join(parts)

    @cached_property
    def _tables(self) -> BeamTables:
        return self.codec.beam_tables()

    @cached_property
    def _no_words(self) -> Dictionary:
        return build_dictionary({}, self.codec.unicharset)

    @cached_property
    def _texts(self) -> list[str]:
        unicharset = self.codec.unicharset
        return [unicharset.printed(unichar_id) for unichar_id in range(len(unicharset))]


def words_of(trained: TrainedData, codec: Codec) -> WordReader:
    """Take the word lists of a traineddata.

    Args:
      trained: traineddata to read.
      codec: character set of the traineddata.
    Raises: FormatError: a dawg is damaged.
    """
    words = dictionary_module.from_traineddata(trained, codec.unicharset)
    return WordReader(codec, words, _keeps_spaces(trained))


def without_words(codec: Codec) -> WordReader:
    """Read as with a traineddata that has no word lists."""
    return WordReader(codec, build_dictionary({}, codec.unicharset))


def _keeps_spaces(trained: TrainedData) -> bool:
    """Whether the config of a traineddata keeps spaces as they are read."""
    keeps = False
    for line in trained.components.get("config", b"").splitlines():
        match line.split():
            case [b"preserve_interword_spaces", value, *_]:
                keeps = value[:1] in b"1TtYy"
    return keeps
