"""Text to the codes a network is trained on, and back.

A unicharset splits text into unichars, a recoder spells each unichar with 1 to 9 codes. Codes
here never include the CTC null: targets put it between them, decoders take it out.

Source: tesseract src/ccutil/unicharcompress.cpp, src/lstm/lstmrecognizer.cpp,
src/training/unicharset/lstmtrainer.cpp.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int32

from lstmjax.charset.failures import BlankTextError, EmptyTextError
from lstmjax.charset.prefixes import BeamTables, build_tables
from lstmjax.charset.unicharset import SPACE, Unicharset
from lstmjax.errors import CharsetError, naming
from lstmjax.formats import lstm as lstm_format
from lstmjax.formats import recoder as recoder_format
from lstmjax.formats.recoder import MAX_LENGTH, Recoder
from lstmjax.formats.traineddata import TrainedData

UNDECODABLE = "<Undecodable>"
_BROKEN = 2  # unichar_id whose code is the null, if there are special codes


@dataclass(frozen=True, eq=False)
class Codec:
    """A unicharset and its recoder.

    Raises: CharsetError: unicharset and recoder do not belong together.
    """

    unicharset: Unicharset
    recoder: Recoder

    def __post_init__(self) -> None:
        size, entries = len(self.unicharset), len(self.recoder.codes)
        # Without special codes the null needs an entry of its own.
        expected = size if self.unicharset.has_special_codes else size + 1
        if entries != expected:
            raise CharsetError(
                f"the recoder has {entries} entries for a unicharset of {size}, expected "
                f"{expected}; both must come from the same combine_lang_model run"
            )
        if self.recoder.codes[SPACE] != (SPACE,):
            raise CharsetError(f"the space has codes {self.recoder.codes[SPACE]}, expected (0,)")
        if not self._codes_of_null:
            raise CharsetError("the recoder has no code for the CTC null; rebuild the recoder")
        for unichar_id, codes in enumerate(self.recoder.codes[:size]):
            special = unichar_id in (1, 2) and self.unicharset.has_special_codes
            if self.null_char in codes and not special:
                raise CharsetError(
                    f"unichar {unichar_id} {self.unicharset.unichar(unichar_id)!r} has codes "
                    f"{codes}, of which {self.null_char} is the CTC null; rebuild the recoder"
                )

    @classmethod
    def from_parts(
        cls, unicharset: bytes, recoder: bytes | None = None, *, swap: bool = False
    ) -> "Codec":
        """Read the two components; without a recoder the code of a unichar is its id.

        Raises: FormatError: a component is damaged; names it. CharsetError: the components do not
          belong together.
        """
        with naming(component="lstm-unicharset"):
            unichars = Unicharset.unpack(unicharset)
        if recoder is None:
            return cls(unichars, pass_through(unichars))
        with naming(component="lstm-recoder"):
            return cls(unichars, recoder_format.unpack(recoder, swap=swap))

    @classmethod
    def from_traineddata(cls, trained: TrainedData) -> "Codec":
        """Read the character set of a model or a starter traineddata.

        Raises: FormatError: a component is damaged; names it. CharsetError: a component is missing,
          or they do not belong together.
        """
        if not trained.embeds_charsets:
            parts = trained.components
            unicharset, recoder = parts["lstm-unicharset"], parts["lstm-recoder"]
            return cls.from_parts(unicharset, recoder, swap=trained.swapped)
        if "lstm" not in trained.components:
            missing = [
                name
                for name in ("lstm-unicharset", "lstm-recoder")
                if name not in trained.components
            ]
            raise CharsetError(
                f"the traineddata has no {' and no '.join(missing)}; it is not for LSTM models, "
                "make one with combine_lang_model"
            )
        model = lstm_format.unpack_from(trained)
        with naming(component="lstm: unicharset"):
            unichars = Unicharset.unpack(model.unicharset or b"")
        return cls(unichars, model.recoder or pass_through(unichars))

    @cached_property
    def num_codes(self) -> int:
        """Number of codes, null included: the outputs of a network for this character set."""
        return self.recoder.code_range

    @cached_property
    def null_char(self) -> int:
        """The code of the CTC null; usually but not always the last one."""
        return self._codes_of_null[0]

    @property
    def _codes_of_null(self) -> tuple[int, ...]:
        special = self.unicharset.has_special_codes
        return self.recoder.codes[_BROKEN if special else len(self.unicharset)]

    def encode(self, text: str) -> Int32[np.ndarray, " L"]:
        """Turn a transcription into codes, without nulls.

        Raises: EmptyTextError, BlankTextError, UnencodableError: each a `TextError` that has the
          text of Tesseract's message.
        """
        if not text:
            raise EmptyTextError
        ids = self.unicharset.encode(text)
        codes = [code for unichar_id in ids for code in self.recoder.codes[unichar_id]]
        if all(code in (SPACE, self.null_char) for code in codes):
            raise BlankTextError(text)
        return np.array([code for code in codes if code != self.null_char], np.int32)

    def decode(self, codes: Iterable[int], *, normed: bool = True) -> str:
        """Turn codes into text; nulls are ignored.

        Codes are grouped from the left: a group ends as soon as it spells a unichar and the next
        code can start one. Where no group of up to nine codes does, one code gives
        `<Undecodable>`.

        Args:
          codes: codes from a decoder, nulls allowed.
          normed: whether unichars are given in their normed form, with plain quotes for example,
            as the training tools compare them; otherwise as the tesseract program prints them.
        """
        text_of = self.unicharset.normed if normed else self.unicharset.printed
        null_char = self.null_char
        plain = codes.tolist() if isinstance(codes, np.ndarray) else map(int, codes)
        labels = [code for code in plain if code != null_char]
        # Most alphabets need no grouping at all.
        if self._one_code_each and self._first_codes.issuperset(labels):
            spelled = (self._spelled.get((code,)) for code in labels)
            return "".join(UNDECODABLE if i is None else text_of(i) for i in spelled)
        pieces = []
        start = 0
        while start < len(labels):
            end = start + 1
            # The shortest group counts after which a unichar can begin, or the text ends.
            for stop in range(start + 1, min(start + MAX_LENGTH, len(labels)) + 1):
                group = tuple(labels[start:stop])
                complete = (
                    stop == len(labels)
                    or len(group) == MAX_LENGTH
                    or labels[stop] in self._first_codes
                )
                if complete and group in self._spelled:
                    pieces.append(text_of(self._spelled[group]))
                    end = stop
                    break
            else:
                pieces.append(UNDECODABLE)
            start = end
        return "".join(pieces)

    def min_timesteps(self, codes: Iterable[int]) -> int:
        """Return how many time steps CTC needs: one a code, and a null between equal ones."""
        labels = np.asarray(list(codes))
        return len(labels) + int(np.count_nonzero(labels[1:] == labels[:-1]))

    def beam_tables(self) -> BeamTables:
        """Return the sequences of codes that spell unichars as an automaton, for decoders."""
        return build_tables(self.recoder.codes)

    @cached_property
    def _spelled(self) -> dict[tuple[int, ...], int]:
        """Codes -> unichar_id; of several unichars with the same codes the last counts."""
        codes = self.recoder.codes[: len(self.unicharset)]
        return {sequence: unichar_id for unichar_id, sequence in enumerate(codes)}

    @cached_property
    def _one_code_each(self) -> bool:
        return all(len(sequence) < 2 for sequence in self.recoder.codes)

    @cached_property
    def _first_codes(self) -> frozenset[int]:
        return frozenset(sequence[0] for sequence in self.recoder.codes if sequence)


def pass_through(unicharset: Unicharset) -> Recoder:
    """Return the recoder of a model without one: unichar ids are the codes."""
    size = len(unicharset)
    entries = size if unicharset.has_special_codes else size + 1
    return Recoder(tuple((code,) for code in range(entries)))
