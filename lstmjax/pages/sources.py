"""Finding inputs to convert: images with texts, in folders, lists and XML files."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lstmjax.data.listing import read_list
from lstmjax.data.pairs import IMAGE_SUFFIXES, PREPARED_SUFFIXES, is_image_name, text_path
from lstmjax.errors import DataError
from lstmjax.pages.records import Kind, Problem
from lstmjax.pages.xml_file import is_layout_file

_TEXT_SUFFIXES = (".gt.txt", ".box")
_XML_FOLDERS = ("", "page", "alto")
WITH_TEXT = (Kind.BOX, Kind.GT, Kind.XML)
"""Sources of training lines; the first one that exists is taken."""


@dataclass(frozen=True)
class Input:
    """An image with its text, to be converted.

    Attributes:
      image: path of the image; empty if an XML file names it.
      text: path of the box file, text or XML file.
      kind: kind of that file.
      base: path of the output without `.lstmf`.
    """

    image: str
    text: str
    kind: Kind
    base: str

    @property
    def path(self) -> str:
        """The path for messages."""
        return self.image or self.text


@dataclass
class Found:
    """The result of a search.

    Attributes:
      inputs: inputs that can be converted, in order.
      problems: files that cannot be converted.
      passed_over: number of images in folders that have no text.
    """

    inputs: list[Input] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    passed_over: int = 0


def box_path(image: str) -> str:
    """The path at which Tesseract looks for the box file of an image."""
    return strip_ending(image) + ".box"


def strip_ending(image: str) -> str:
    """The path of an image without its ending, `.bin.png`, `.nrm.png` and `.raw.png` included."""
    # Before `splitext`, which would leave the `.bin` of `.bin.png`.
    for suffix in PREPARED_SUFFIXES:
        if image.endswith(suffix) and len(image) > len(suffix):
            return image[: -len(suffix)]
    return os.path.splitext(image)[0]


def identify(path: str, kinds: Kind | Sequence[Kind] | None = None) -> Input:
    """Find the text of an image, or the image of a text.

    Args:
      path: an image; or an XML, box or text file.
      kinds: acceptable sources of lines, of which the first one that exists is taken; by default
        `WITH_TEXT`.
    Raises: DataError: none of them exists.
    """
    kinds = _sequence(kinds)
    if path.lower().endswith(".xml"):
        if Kind.XML not in kinds:
            wanted = " or ".join(kind.value for kind in kinds)
            raise DataError(f"{path}: an XML file, but the lines are to be taken from {wanted}")
        return Input("", path, Kind.XML, path[: -len(".xml")])
    for suffix in _TEXT_SUFFIXES:
        if path.endswith(suffix):
            path = _image_beside(path, suffix)
    for choice in kinds:
        for text in _candidates(path, choice):
            if os.path.exists(text):
                return Input(path, text, choice, strip_ending(path))
    if not os.path.exists(path):
        raise DataError(f"{path}: there is no such file")
    looked = [_candidates(path, choice)[0] for choice in kinds]
    raise DataError(f"{path}: no text for it; looked for {', '.join(looked)}")


def _sequence(kinds: Kind | Sequence[Kind] | None) -> Sequence[Kind]:
    if kinds is None:
        return WITH_TEXT
    return (kinds,) if isinstance(kinds, Kind) else kinds


def _candidates(image: str, kind: Kind) -> list[str]:
    if kind is Kind.IMAGE:
        return [image]
    if kind is Kind.BOX:
        return [box_path(image)]
    if kind is Kind.GT:
        return [text_path(image)]
    folder, name = os.path.split(strip_ending(image))
    return [os.path.join(folder, below, name + ".xml") for below in _XML_FOLDERS]


def _image_beside(path: str, suffix: str) -> str:
    base = path[: -len(suffix)]
    for ending in (*IMAGE_SUFFIXES, *PREPARED_SUFFIXES):
        if os.path.exists(base + ending):
            return base + ending
    raise DataError(f"{path}: no image beside it; looked for {base} with an ending such as .png")


def find(
    paths: Sequence[str], kinds: Kind | Sequence[Kind] | None = None, output_dir: str = ""
) -> Found:
    """Find the inputs that images, XML files, folders and list files stand for.

    A folder is searched with the folders below it, in the order of names; images without a text
    are passed over there. Files that are found twice are reported as problems.

    Args:
      paths: paths as the user gave them.
      kinds: acceptable sources of lines; see `identify`.
      output_dir: folder for the outputs, in which the folders below the one that was searched are
        repeated; by default outputs go beside the inputs.
    """
    finder = _Finder(_sequence(kinds), output_dir)
    for path in paths:
        finder.add(path)
    return finder.found


class _Finder:
    def __init__(self, kinds: Sequence[Kind], output_dir: str) -> None:
        self.found = Found()
        self._kinds = kinds
        self._output_dir = output_dir
        self._seen: dict[str, str] = {}
        self._bases: dict[str, str] = {}

    def add(self, path: str, *, listed: bool = False) -> None:
        if os.path.isdir(path):
            self._add_folder(path)
        elif listed or _is_input(path):
            self._take(path, os.path.basename(path))
        else:
            self._guard(path, lambda: self._add_list(path))

    def _add_folder(self, folder: str) -> None:
        files = list(_walk(folder))
        kinds = {path: self._kind_of(path) for path in files if is_image_name(path)}
        covered = {  # an image with a box file or text needs no XML file
            os.path.realpath(text)
            for path, kind in kinds.items()
            if kind not in (None, Kind.XML)
            for text in _candidates(path, Kind.XML)
        }
        self.found.passed_over += sum(kind is None for kind in kinds.values())
        for path in files:
            if path in kinds:
                wanted = kinds[path] not in (None, Kind.XML)  # XML files are found by themselves
            else:
                wanted = self._is_layout(path) and os.path.realpath(path) not in covered
            if wanted:
                self._take(path, os.path.relpath(path, folder))

    def _kind_of(self, image: str) -> Kind | None:
        """The source of an image's lines; None if there is none."""
        for kind in self._kinds:
            if any(map(os.path.exists, _candidates(image, kind))):
                return kind
        return None

    def _is_layout(self, path: str) -> bool:
        return path.lower().endswith(".xml") and Kind.XML in self._kinds and is_layout_file(path)

    def _add_list(self, path: str) -> None:
        if not os.path.exists(path):
            raise DataError(f"{path}: there is no such file")
        for name in read_list(path):
            self.add(name, listed=True)

    def _take(self, path: str, below: str) -> None:
        self._guard(path, lambda: self._add_input(path, below))

    def _add_input(self, path: str, below: str) -> None:
        one = identify(path, self._kinds)
        base = one.base
        if self._output_dir:
            base = os.path.join(self._output_dir, os.path.dirname(below), os.path.basename(base))
        self._refuse_seen(one, base)
        self.found.inputs.append(Input(one.image, one.text, one.kind, base))

    def _refuse_seen(self, one: Input, base: str) -> None:
        # By real path: through links a line could come in twice, for training and for evaluation.
        key = os.path.realpath(one.text if one.kind is Kind.XML else one.image)
        if key in self._seen:
            raise DataError(f"{one.path}: given twice (also as {self._seen[key]})")
        # Two inputs with one output would overwrite each other.
        if os.path.abspath(base) in self._bases:
            first = self._bases[os.path.abspath(base)]
            raise DataError(f"{one.path}: has the same output as {first}: {base}")
        self._seen[key] = self._bases[os.path.abspath(base)] = one.path

    def _guard(self, path: str, action: Callable[[], None]) -> None:
        try:
            action()
        except DataError as err:
            reason = str(err).removeprefix(f"{path}: ")
            self.found.problems.append(Problem(path, reason, whole=True))


def _is_input(path: str) -> bool:
    lower = path.lower()
    return is_image_name(path) or lower.endswith((".xml", *_TEXT_SUFFIXES))


def _walk(folder: str) -> Iterator[str]:
    """Yield the files below a folder except hidden ones; each folder once, despite links."""
    seen: set[str] = set()
    for at, folders, files in os.walk(folder, followlinks=True):
        # Links may lead back up: each folder once.
        if os.path.realpath(at) in seen:
            folders.clear()
            continue
        seen.add(os.path.realpath(at))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield os.path.join(at, name)
