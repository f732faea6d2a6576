"""The starter traineddata with the characters of the lines, new or as an extension of a model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lstmjax.charset.builder import SPECIAL
from lstmjax.charset.characters import script
from lstmjax.charset.extract import Extractor
from lstmjax.charset.language import Language, Starter, build_starter
from lstmjax.charset.merge import merge
from lstmjax.charset.segment import NormMode
from lstmjax.errors import CharsetError, Say, naming
from lstmjax.formats import lstm, traineddata, unicharset
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.formats.traineddata import TrainedData
from lstmjax.formats.unicharset import UnicharsetTable

LISTS = ("wordlist", "numbers", "punc")
_DAWGS = ("lstm-punc-dawg", "lstm-word-dawg", "lstm-number-dawg")
_NO_RADICALS = b"# No Han characters, so none are described.\n"


@dataclass(frozen=True)
class StarterRequest:
    """The inputs of a starter traineddata.

    Attributes:
      texts: box files or plain texts with all characters.
      name: name of the model; the starter becomes `<name>/<name>.traineddata`.
      lang: language whose lists and configuration in langdata are used.
      norm_mode: 1 graphemes, 2 glyphs of Indic scripts, 3 characters.
      rtl, pass_through: see `charset.language.Language`.
      langdata_dir: copy of langdata_lstm; "" for none.
      wordlist: word list to use instead of the one in `langdata_dir`.
      start_model: traineddata whose character set is extended; "" for none.
    """

    texts: tuple[str, ...]
    name: str
    lang: str
    norm_mode: int = 1
    rtl: bool = False
    pass_through: bool = False
    langdata_dir: str = ""
    wordlist: str = ""
    start_model: str = ""

    def lists(self) -> dict[str, str]:
        """The lists that exist: kind (see `LISTS`) -> path."""
        folder = Path(self.langdata_dir, self.lang)
        found = {}
        for kind in LISTS:
            path = folder / f"{self.lang}.{kind}"
            if self.langdata_dir and path.is_file() and path.stat().st_size:
                found[kind] = str(path)
        if self.wordlist:
            found["wordlist"] = self.wordlist
        return found

    def config(self) -> Path | None:
        """Path of the language's configuration, if there is one."""
        path = Path(self.langdata_dir, self.lang, f"{self.lang}.config")
        return path if self.langdata_dir and path.is_file() else None

    def files(self) -> list[str]:
        """Every file that the starter depends on, for a digest."""
        paths = [*self.texts, *self.lists().values(), *filter(None, [self.start_model])]
        if self.langdata_dir:
            folder = Path(self.langdata_dir)
            radicals = folder / "radical-stroke.txt"
            paths += sorted(map(str, folder.glob("*.unicharset")))
            paths += [str(path) for path in (radicals, self.config()) if path and path.is_file()]
        return paths


@dataclass(frozen=True)
class StarterResult:
    """The files of a starter.

    Attributes:
      traineddata: path of the starter; the start model itself if that has all characters.
      unicharset: path of the character set.
      size: number of unichars.
      added: unichars that the start model does not have.
    """

    traineddata: str
    unicharset: str
    size: int
    added: tuple[str, ...] = ()


def make_starter(request: StarterRequest, folder: PathLike, say: Say) -> StarterResult:
    """Make the character set of some texts and a starter traineddata.

    A start model that has all the characters is used as it is. Otherwise the new characters are
    appended to its character set. Its own unichars keep their ids, so its word lists stay valid;
    they are copied, unless the request has lists of its own.

    Args:
      request: inputs of the starter.
      folder: folder for `unicharset` and `<name>/`; made if missing.
      say: printer of the messages of the single tools.
    Raises: LstmjaxError: a file that is needed is missing or damaged, or langdata is needed.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    path = str(target / "unicharset")
    table = extract(request.texts, request.norm_mode, say)
    if not request.start_model:
        unicharset.save(table, path, decimal=True)
        _build(request, path, table, target, say).save(target)
        return StarterResult(_output_path(request, target), path, len(table.rows))
    start = traineddata.load(request.start_model)
    own = _table_of(start, request.start_model)
    # The start model's set first: its unichars keep their ids, which its word lists hold.
    merged = merge([own, table])
    added = _added(own, merged)
    if not added:
        unicharset.save(own, path, decimal=True)
        return StarterResult(request.start_model, path, len(own.rows))
    unicharset.save(merged, path, decimal=True)
    starter = _build(request, path, merged, target, say)
    if not request.lists():
        trained = with_components(starter.traineddata, start, own, merged, say)
        starter = replace(starter, traineddata=trained)
    starter.save(target)
    return StarterResult(_output_path(request, target), path, len(merged.rows), added)


def extract(texts: Sequence[str], norm_mode: int, say: Say) -> UnicharsetTable:
    """The character set of box files or plain texts.

    Raises: FormatError: a file cannot be read. CharsetError: the files have no characters.
    """
    extractor = Extractor(NormMode(norm_mode), say)
    for path in texts:
        data = read_bytes(path)
        if data:
            extractor.add_file(path, data)
    table = extractor.table()
    if all(row.unichar in SPECIAL for row in table.rows):
        raise CharsetError(f"{', '.join(texts[:3])}: there are no characters in these texts")
    return table


def with_components(
    starter: TrainedData,
    start: TrainedData,
    own: UnicharsetTable,
    merged: UnicharsetTable,
    say: Say,
) -> TrainedData:
    """Copy the word lists and the configuration of the start model to a starter.

    Args:
      starter: traineddata with the larger character set.
      start: the start model.
      own: character set of the start model.
      merged: character set of the starter.
      say: printer of a message if the lists cannot be copied, because unichars have other ids.
    """
    # Merging can change old ids (old models without special codes), so lists are compared first.
    kept = [row.unichar for row in merged.rows[: len(own.rows)]]
    same = kept == [row.unichar for row in own.rows]
    taken = ("config", *_DAWGS) if same else ("config",)
    if not same and any(start.components.get(name) for name in _DAWGS):
        say("The word lists of the start model do not fit the new character set; they are left out")
    for name in taken:
        if start.components.get(name):
            starter = starter.with_component(name, start.components[name])
    return starter


def _added(own: UnicharsetTable, merged: UnicharsetTable) -> tuple[str, ...]:
    known = {row.unichar for row in own.rows} | set(SPECIAL)
    return tuple(row.unichar for row in merged.rows if row.unichar not in known)


def _table_of(trained: TrainedData, path: str) -> UnicharsetTable:
    """The character set of a model: a component of its own, or inside the network in old models."""
    data = trained.components.get("lstm-unicharset")
    if data is None:
        with naming(file=path):
            data = lstm.unpack_from(trained).unicharset
    if not data:
        raise CharsetError(f"{path}: there is no character set in this model")
    with naming(file=path, component="lstm-unicharset"):
        return unicharset.unpack(data)


def _output_path(request: StarterRequest, folder: Path) -> str:
    return str(folder / request.name / f"{request.name}.traineddata")


def _build(
    request: StarterRequest, path: str, table: UnicharsetTable, folder: Path, say: Say
) -> Starter:
    """Make a starter, with the language's configuration even if the model has another name."""
    starter = build_starter(_language(request, path, table, folder, say), say)
    config = request.config()
    if config is None or "config" in starter.traineddata.components:
        return starter
    trained = starter.traineddata.with_component("config", read_bytes(config))
    return replace(starter, traineddata=trained)


def _language(
    request: StarterRequest, path: str, table: UnicharsetTable, folder: Path, say: Say
) -> Language:
    lists = request.lists()
    if lists and "punc" not in lists:
        # The decoder finds words only through punctuation patterns; this one has no punctuation.
        lists["punc"] = str(folder / "no_punctuation.txt")
        write_atomically(lists["punc"], b" \n")
    return Language(
        name=request.name,
        unicharset=path,
        script_dir=_script_dir(request, table, folder, say),
        words=lists.get("wordlist", ""),
        puncs=lists.get("punc", ""),
        numbers=lists.get("numbers", ""),
        rtl=request.rtl,
        pass_through=request.pass_through,
    )


def _script_dir(
    request: StarterRequest, table: UnicharsetTable, folder: Path, say: Say
) -> PathLike:
    """The folder of script data; without langdata an empty substitute, enough for all but Han."""
    if request.langdata_dir:
        return request.langdata_dir
    if not request.pass_through:
        for row in table.rows:
            if any(script(char) == "Han" for char in row.unichar):
                raise CharsetError(
                    f"{row.unichar!r} and other Han characters are coded by their radicals and "
                    "strokes; give --langdata_dir, a copy of tesseract-ocr/langdata_lstm"
                )
    say("Without --langdata_dir characters get no measured properties; training needs none")
    substitute = folder / "no_langdata"
    substitute.mkdir(exist_ok=True)
    write_atomically(substitute / "radical-stroke.txt", _NO_RADICALS)
    return substitute
