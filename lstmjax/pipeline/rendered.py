"""The steps that render a text in fonts and turn the pages into documents of lines.

If a model is to be trained, the lines of the text are divided first, so that no evaluation line
has the text of a training line. With `--linedata_only` the whole text is rendered, as tesstrain.sh
does.
"""

import os
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from lstmjax.errors import DataError, Say, UsageError
from lstmjax.formats import box
from lstmjax.formats.files import digest_file, read_bytes, write_atomically
from lstmjax.formats.stream import to_text
from lstmjax.pages import Input, Kind, Outcome, Settings, convert
from lstmjax.pipeline.ground_truth import finish
from lstmjax.pipeline.plan import Plan, Rendering
from lstmjax.pipeline.split import split
from lstmjax.pipeline.state import Done, State, digest_json
from lstmjax.render import tiff
from lstmjax.render.boxes import to_box_file
from lstmjax.render.catalog import FallbackFaces, FontCatalog, FontEntry
from lstmjax.render.pages import Page, map_pages
from lstmjax.render.settings import Degradation
from lstmjax.render.settings import Settings as PageSettings

_SIGNATURE = b"\xef\xbb\xbf"
_INK = 128  # darker pixels are black
_PSM = 3
_SHOWN = 5


@dataclass(frozen=True)
class Drawing:
    """A text to render in one font with one exposure.

    Attributes:
      text: file with the text.
      font: name of the font.
      exposure: darkness level of the pages.
      vertical: whether the text runs from top to bottom.
      base: pages and box file without suffix.
      document: document without suffix.
    """

    text: str
    font: str
    exposure: int
    vertical: bool
    base: str
    document: str


def rendered_lines(plan: Plan, state: State, say: Say) -> dict[str, Any]:
    """Render the pages and make documents of their lines.

    Returns: notes of the step, as `ground_truth.found_lines` has them.
    Raises: DataError: the text is empty or nothing could be rendered. LstmjaxError: a font is
      missing, or a file cannot be read or written.
    """
    rendering = plan.rendering
    assert rendering is not None
    if plan.split_by != "auto":
        raise UsageError("split_by is for ground truth; a text to be drawn is divided by its lines")
    texts = _divided_text(plan, rendering, state, say)
    work = plan.output_dir if rendering.keep_pages else plan.tmp_dir or plan.path("pages")
    made: dict[str, list[dict[str, Any]]] = {"train": [], "eval": []}
    for part, drawings in _drawings(plan, rendering, texts, work).items():
        made[part] = [_draw_step(plan, rendering, one, state, say) for one in drawings]
    inputs = {"made": digest_json(made)}

    def run() -> Done:
        problems = [tuple(pair) for part in made.values() for one in part for pair in one["left"]]
        paths = {
            part: tuple(one["document"] for one in notes if one["document"])
            for part, notes in made.items()
        }
        if not paths["train"]:
            raise DataError(
                f"{rendering.training_text}: no line of it could be drawn in "
                f"{', '.join(rendering.fonts or rendering.vertical_fonts)}"
            )
        boxes = [one["boxes"] for notes in made.values() for one in notes if one["document"]]
        done = finish(plan, paths["train"], paths["eval"], problems, boxes)
        done = replace(done, notes={**done.notes, "drawn": True})
        if plan.data_only:
            listing = plan.path(f"{plan.lang}.training_files.txt")
            write_atomically(listing, "\n".join(paths["train"]).encode(errors="surrogateescape"))
            done = replace(done, outputs=(*done.outputs, listing))
        return done

    return state.do("lists", inputs, run, say)


def _divided_text(plan: Plan, rendering: Rendering, state: State, say: Say) -> dict[str, str]:
    """Divide the lines of the text; name of a part -> file with its lines."""
    source = rendering.training_text
    if plan.data_only:
        return {"train": source}
    inputs = {"text": digest_file(source), "ratio_train": plan.ratio_train, "seed": plan.seed}

    def run() -> Done:
        data = read_bytes(source).removeprefix(_SIGNATURE)
        lines = [line.removesuffix("\r") for line in to_text(data).split("\n") if line.strip()]
        # Equal lines stay in one part.
        parts = split(dict.fromkeys(lines), plan.ratio_train, plan.seed)
        written = {}
        for part, chosen in parts._asdict().items():
            if chosen:
                written[part] = plan.path(f"{part}.txt")
                known = set(chosen)
                text = "".join(f"{line}\n" for line in lines if line in known)
                write_atomically(written[part], text.encode(errors="surrogateescape"))
        return Done(tuple(written.values()), written)

    return state.do("text", inputs, run, say)


def _drawings(
    plan: Plan, rendering: Rendering, texts: dict[str, str], work: str
) -> dict[str, list[Drawing]]:
    """The texts to render for each part: every font with every exposure."""
    exposures = rendering.exposures or plan.language.exposures
    fonts = {
        "train": _fonts(rendering.fonts, rendering.vertical_fonts),
        "eval": _fonts(rendering.eval_fonts or rendering.fonts, rendering.vertical_fonts),
    }
    drawings: dict[str, list[Drawing]] = {}
    for part, text in texts.items():
        ending = "" if plan.data_only else f".{part}"
        target = plan.output_dir if plan.data_only else plan.path("documents")
        drawings[part] = []
        for (font, vertical), exposure in product(fonts[part], exposures):
            name = f"{plan.lang}.{file_name(font)}.exp{exposure}{ending}"
            base, document = os.path.join(work, name), os.path.join(target, name)
            drawings[part].append(Drawing(text, font, exposure, vertical, base, document))
    return drawings


def file_name(font: str) -> str:
    """The name of a font as part of a file name, as in tesstrain: no commas, `_` for spaces."""
    return font.replace(" ", "_").replace(",", "").replace(os.sep, "_")


def _fonts(fonts: tuple[str, ...], vertical: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Pairs of a font and whether its text runs from top to bottom."""
    return [*((font, False) for font in fonts), *((font, True) for font in vertical)]


def _draw_step(
    plan: Plan, rendering: Rendering, drawing: Drawing, state: State, say: Say
) -> dict[str, Any]:
    """Render one text in one font; notes: document, box file, and what was left out and why."""
    language = plan.language
    settings = PageSettings(
        point_size=rendering.ptsize,
        leading=language.leading,
        char_spacing=language.char_spacing,
        ligatures=language.ligatures,
        writing_mode="vertical-upright" if drawing.vertical else "horizontal",
        max_pages=rendering.max_pages,
        degradation=Degradation(exposure=drawing.exposure, distort=rendering.distort),
    )
    catalog = _catalog(rendering.fonts_dir)
    font = find_font(catalog, drawing.font)

    def run() -> Done:
        left = draw_pages(read_text(drawing.text), catalog, font, settings, drawing.base)
        document, problems = _convert(drawing)
        if not rendering.keep_pages:
            os.unlink(f"{drawing.base}.tif")
        files = [path for path in (document, f"{drawing.base}.box") if path]
        left = [[drawing.font, f"cannot show {left}"]] if left else []
        notes = {"document": document, "boxes": f"{drawing.base}.box", "left": left + problems}
        return Done(tuple(files), notes)

    inputs = {
        "text": digest_file(drawing.text),
        # The font file counts, not its name: another version of it draws other pages.
        "font": digest_file(font.path),
        "settings": asdict(settings),
        "drawing": asdict(drawing),
        "pages": rendering.keep_pages,
    }
    if rendering.fonts_dir:  # its other fonts decide on the width of characters that `font` lacks
        inputs["fonts_dir"] = os.path.realpath(rendering.fonts_dir)
    part = Path(drawing.base).name
    return state.do(f"draw {part}", inputs, run, say)


def find_font(catalog: FontCatalog, name: str) -> FontEntry:
    """The font of this name.

    Raises: DataError: there is none; the message suggests the most similar name.
    """
    found = catalog.find(name)
    if found is None:
        near = catalog.suggest(name)
        folders = ", ".join(map(str, catalog.folders))
        hint = f"; did you mean {near!r}?" if near else ""
        raise DataError(f"there is no font {name!r} in {folders}{hint}")
    return found


def read_text(path: str) -> str:
    """The content of a text file, without a byte order mark.

    Raises: FormatError: the file cannot be read. DataError: it is empty.
    """
    text = to_text(read_bytes(path).removeprefix(_SIGNATURE)).replace("\r\n", "\n")
    if not text.strip():
        raise DataError(f"{path}: there is no text in it")
    return text


def draw_pages(
    text: str, catalog: FontCatalog, font: FontEntry, settings: PageSettings, base: str
) -> str:
    """Write `<base>.tif` and `<base>.box`, as text2image does.

    Args:
      text: text to render.
      catalog: all fonts; a character that `font` lacks leaves the space it takes in another font.
      font: font to render in.
      settings: settings of the pages.
      base: path without suffix; a missing folder is made.
    Returns: the first words that the font cannot show, for a message; "" if it can show all.
    Raises: DataError: nothing fits on a page. LstmjaxError: a file cannot be written.
    """
    Path(base).parent.mkdir(parents=True, exist_ok=True)
    face = catalog.open(font, settings.pixels)

    def pack(page: Page) -> tuple[tiff.Strip, Page]:
        # Compressed in the thread that made the page; its pixels are dropped at once.
        return tiff.compress(page.image < _INK), replace(page, image=page.image[:0])

    fallback = FallbackFaces(catalog, settings.pixels)
    workers = os.cpu_count() or 1
    pages = list(map_pages(pack, text, face, settings, fallback=fallback, workers=workers))
    boxes = [one for _, page in pages for one in page.boxes]
    write_atomically(f"{base}.tif", tiff.pack([strip for strip, _ in pages]))
    box.save(to_box_file(boxes, settings.height), f"{base}.box")
    words = [word for _, page in pages for word in page.stripped.words]
    shown = ", ".join(map(repr, words[:_SHOWN]))
    return f"{len(words)} words, such as {shown}" if words else ""


def _convert(drawing: Drawing) -> tuple[str, list[list[str]]]:
    """Convert rendered pages to a document: its path, and what was left out and why."""
    outcomes: list[Outcome] = []
    pages = Input(f"{drawing.base}.tif", f"{drawing.base}.box", Kind.BOX, drawing.document)
    convert([pages], settings=Settings(psm=_PSM), on_done=outcomes.append)
    (outcome,) = outcomes
    return outcome.output, [[one.path, f"{one.place} {one.reason}"] for one in outcome.problems]


def _catalog(folder: str) -> FontCatalog:
    return FontCatalog([folder] if folder else None)
