"""Pages written to files: a multi-page TIFF and a box file for each font.

Files are written when all pages are done: an error or an interrupt leaves no partial file.
Source: Tesseract src/training/text2image.cpp (messages and names of files).
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

from lstmjax.errors import DataError
from lstmjax.formats import box
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.render import tiff
from lstmjax.render.boxes import to_box_file
from lstmjax.render.catalog import FallbackFaces, FontCatalog, FontEntry
from lstmjax.render.clusters import CharBox
from lstmjax.render.degrade import threshold
from lstmjax.render.glyph_images import GlyphImages
from lstmjax.render.page_text import Stripped
from lstmjax.render.pages import Page, map_pages
from lstmjax.render.settings import Settings

_SIGNATURE = "\ufeff"
_SHOWN = 40


@dataclass(frozen=True)
class Job:
    """A text to render in a font.

    Attributes:
      text: the whole text.
      font: the font.
      base: path of the files without `.tif` and `.box`.
      settings: settings of the pages.
      glyphs: sizes of images of single characters, if those are wanted, too.
    """

    text: str
    font: FontEntry
    base: str
    settings: Settings
    glyphs: GlyphImages | None = None


@dataclass
class Outcome:
    """The result of a job.

    Attributes:
      base: path of the files without `.tif` and `.box`.
      pages: number of pages written.
      lines: number of lines of text on them.
      words_left_out: number of words that the font cannot show.
      characters_left_out: number of other characters that it cannot show.
      messages: messages for the user, in order.
    """

    base: str
    pages: int = 0
    lines: int = 0
    words_left_out: int = 0
    characters_left_out: int = 0
    messages: list[str] = field(default_factory=list)


def read_text(path: PathLike) -> str:
    """Read a text file.

    Raises:
      DataError: the file is empty, not UTF-8, or holds zero bytes.
      FormatError: the file cannot be read.
    """
    data = read_bytes(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as err:
        raise DataError(
            f"{path}: byte {err.start:#x} ({data[err.start]:#04x}) is not UTF-8; convert the file, "
            "for instance with iconv"
        ) from err
    if "\0" in text:
        raise DataError(f"{path}: byte {data.index(0):#x} is zero: the file is not a text")
    text = text.removeprefix(_SIGNATURE)
    if not text.strip():
        raise DataError(f"{path}: the text is empty")
    return text


def run_job(
    job: Job, catalog: FontCatalog, workers: int = 1, say: Callable[[str], None] | None = None
) -> Outcome:
    """Render one text in one font.

    Args:
      job: the text and its font.
      catalog: fonts for characters that the font lacks, which take up room on pages.
      workers: number of threads that degrade pages.
      say: called with each message at once; the outcome has them, too.

    Raises:
      DataError: no character can be shown, or no line fits on a page; nothing is written then.
    """
    outcome = Outcome(job.base)

    def tell(message: str) -> None:
        outcome.messages.append(message)
        if say is not None:
            say(message)

    face = catalog.open(job.font, job.settings.pixels)
    fallback = FallbackFaces(catalog, job.settings.pixels)
    strips: list[tiff.Strip] = []
    boxes: list[CharBox] = []
    images: list[bytes] = []
    finish = _Finisher(job.glyphs)
    for page, strip, glyphs in map_pages(
        finish, job.text, face, job.settings, fallback=fallback, workers=workers
    ):
        _count(outcome, page.stripped, tell)
        boxes += page.boxes
        strips.append(strip)
        images += glyphs
        tell(f"Rendered page {page.index} to file {job.base}.tif")
    if all(one.rect is None for one in boxes):
        raise DataError(
            f"{job.font.description} can show none of the text; choose a font for its script"
        )
    # Of all pages together: the direction of the text is decided over all of them.
    finished = to_box_file(boxes, job.settings.height)
    outcome.pages, outcome.lines = len(strips), sum(b.text == "\t" for b in finished) + 1
    write_atomically(f"{job.base}.tif", tiff.pack(strips))
    box.save(finished, f"{job.base}.box")
    for number, image in enumerate(images):
        write_atomically(f"{job.base}_{number}.jpg", image)
    if job.glyphs is not None:
        tell(f"Total number of characters saved = {len(images)}")
    return outcome


class _Finisher:
    """Compresses a page and cuts out its characters, so that its pixels can be dropped."""

    def __init__(self, glyphs: GlyphImages | None):
        self._glyphs = glyphs

    def __call__(self, page: Page) -> tuple[Page, tiff.Strip, list[bytes]]:
        ink = threshold(page.image)
        images = list(self._glyphs.cut(ink, page.boxes)) if self._glyphs else []
        # Without pixels: the strip has them, and all pages are held until the end.
        return replace(page, image=page.image[:0]), tiff.compress(ink), images


def _count(outcome: Outcome, stripped: Stripped, tell: Callable[[str], None]) -> None:
    """Report and count the words and characters that a page leaves out."""
    if stripped.words:
        shown = "".join(f"{word} " for word in stripped.words[:_SHOWN])
        more = len(stripped.words) - _SHOWN
        rest = f"... and {more} more" if more > 0 else ""
        tell(f"Stripped {len(stripped.words)} unrenderable word(s): '{shown}{rest}'")
    if stripped.characters:
        tell(f"WARNING: Dropped {stripped.characters} uncovered characters")
    outcome.words_left_out += len(stripped.words)
    outcome.characters_left_out += stripped.characters


def run_jobs(jobs: list[Job], folders: list[str] | None, workers: int) -> Iterator[Outcome]:
    """Run several jobs and yield their outcomes in order.

    Args:
      jobs: texts and their fonts.
      folders: folders of fonts, None for the system's.
      workers: number of processes; with one, of threads in this process.
    """
    if workers <= 1 or len(jobs) == 1:
        catalog = FontCatalog(folders)
        for job in jobs:
            yield run_job(job, catalog, workers)
        return
    # Spawned: a fork of a process with threads may hang.
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_run_alone, [(job, folders) for job in jobs])


def _run_alone(task: tuple[Job, list[str] | None]) -> Outcome:
    job, folders = task
    return run_job(job, FontCatalog(folders))


def bases_for(base: str, fonts: Iterable[FontEntry]) -> list[str]:
    """Paths of files for several fonts: the name of the font is added, without spaces and commas.

    Raises:
      DataError: two fonts have the same name.
    """
    names = [f"{base}.{str(font.description).replace(' ', '_').replace(',', '')}" for font in fonts]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DataError(f"two fonts would write {min(twice)}.tif; name each font once")
    return names
