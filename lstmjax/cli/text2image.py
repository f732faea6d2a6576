"""Render text to page images and box files.

Flags, texts and files are those of Tesseract 5.3.0 `text2image`; docs/text2image.md lists the
departures.
"""

import sys
from typing import TYPE_CHECKING

from absl import flags

from lstmjax.cli.flags import parse
from lstmjax.errors import DataError, LstmjaxError, UsageError

if TYPE_CHECKING:
    from lstmjax.render.catalog import FontCatalog, FontEntry
    from lstmjax.render.settings import Settings

TOOL = "text2image"

_STRINGS = (
    ("text", "", "File name of text input to process"),
    ("outputbase", "", "Basename for output image/box file"),
    ("font", "Arial", "Font description name to use, or the path of a font file"),
    ("fontlist", "", "Several fonts, separated by commas or plus signs, or the file with a name a "
     "line; each is written to <outputbase>.<Font_Name>"),
    ("fonts_dir", "", "Folder with fonts; the system's folders if empty"),
    ("fontconfig_tmpdir", "", "Taken for compatibility and not used"),
    ("writing_mode", "horizontal", "'horizontal', 'vertical' (narrow characters lie on their "
     "side) or 'vertical-upright' (all characters stand)"),
    ("unicharset_file", "", "With --render_ngrams: leave ngrams out that hold other unichars"),
)  # fmt: skip
_BOOLS = (
    ("degrade_image", True, "Degrade rendered image with speckle noise, blur and rotation"),
    ("rotate_image", True, "Rotate the image in a random way"),
    ("distort_image", False, "Degrade rendered image with noise, blur, invert"),
    ("invert", True, "With --distort_image: maybe invert the image"),
    ("white_noise", True, "With --distort_image: maybe add Gaussian noise"),
    ("smooth_noise", True, "With --distort_image: maybe add smoothed noise"),
    ("blur", True, "With --distort_image: maybe blur the image"),
    ("strip_unrenderable_words", True, "Remove unrenderable words from source text"),
    ("ligatures", False, "Rebuild and render ligatures"),
    ("find_fonts", False, "Search for all fonts that can render the text"),
    ("render_per_font", True, "With --find_fonts: render each font to its own image, "
     "<outputbase>.<Font_Name>.tif"),
    ("list_available_fonts", False, "List available fonts and quit"),
    ("render_ngrams", False, "Put each space-separated entity from the input file into one "
     "bounding box; they are rendered in random order"),
    ("output_word_boxes", False, "Output word bounding boxes instead of character boxes"),
    ("bidirectional_rotation", False, "Render all pages a second time, rotated the other way"),
    ("only_extract_font_properties", False, "Measure the spacing of the bigrams of the text and "
     "write it to <outputbase>.fontinfo"),
    ("output_individual_glyph_images", False, "Also write each character to a JPEG"),
)  # fmt: skip
_INTEGERS = (
    ("exposure", 0, "Exposure level in photocopier"),
    ("resolution", 300, "Pixels per inch"),
    ("xsize", 3600, "Width of output image"),
    ("ysize", 4800, "Height of output image"),
    ("max_pages", 0, "Maximum number of pages to output (0=unlimited)"),
    ("margin", 100, "Margin round edges of image"),
    ("ptsize", 12, "Size of printed text"),
    ("leading", 12, "Inter-line space (in pixels)"),
    ("box_padding", 0, "Padding around produced bounding boxes"),
    ("glyph_resized_size", 0, "Side length of the image of a character in pixels"),
    ("glyph_num_border_pixels_to_pad", 0, "White pixels around the image of a character"),
    ("seed", 0x18273645, "Seed of the random numbers of the degradation"),
    ("workers", 1, "Pages or fonts that are worked on at a time"),
    ("tlog_level", 0, "Taken for compatibility and not used"),
)  # fmt: skip
_FLOATS = (
    ("char_spacing", 0.0, "Inter-character space in ems"),
    ("underline_start_prob", 0.0, "Fraction of words to underline (value in [0,1])"),
    ("underline_continuation_prob", 0.0, "Probability that an underline goes on to the next word"),
    ("min_coverage", 1.0, "With --find_fonts: share of the text that a font must have, 0 to 1"),
)
_MAX_WORKERS = 256


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.
    Returns: the exit status.
    """
    values, rest = parse(TOOL, _define, argv)
    if rest:
        raise UsageError(f"unexpected argument {rest[0]!r}; text2image takes flags only")
    if values.list_available_fonts:
        return _list_fonts(_catalog(values))
    problem = _missing(values)
    if problem:
        _say(problem)
        return 1
    settings = _settings(values)
    catalog = _catalog(values)
    if values.find_fonts:
        return _find_fonts(values, settings, catalog)
    fonts = _fonts(values, catalog)
    if fonts is None:
        return 1
    text = _text(values)
    if values.only_extract_font_properties:
        return _extract(text, values, settings, catalog, fonts)
    return _render(text, values, settings, catalog, fonts)


def _define(values: flags.FlagValues) -> None:
    for name, default, description in _STRINGS:
        flags.DEFINE_string(name, default, description, flag_values=values)
    for name, default, description in _BOOLS:
        flags.DEFINE_bool(name, default, description, flag_values=values)
    for name, default, description in _INTEGERS:
        flags.DEFINE_integer(name, default, description, flag_values=values)
    for name, default, description in _FLOATS:
        flags.DEFINE_float(name, default, description, flag_values=values)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _missing(values: flags.FlagValues) -> str | None:
    """What is wrong with the flags, in Tesseract's words where it has some."""
    if not values.text:
        return "'--text' option is missing!"
    if not values.outputbase:
        return "'--outputbase' option is missing!"
    if values.unicharset_file and not values.render_ngrams:
        return "Use '--unicharset_file' only if '--render_ngrams' is set."
    if not 1 <= values.workers <= _MAX_WORKERS:
        return f"--workers must be from 1 to {_MAX_WORKERS}, found {values.workers}"
    if not 0 <= values.min_coverage <= 1:
        return f"--min_coverage must be from 0 to 1, found {values.min_coverage:g}"
    if values.fontlist and values.find_fonts:
        return "use --fontlist or --find_fonts, not both"
    return None


def _settings(values: flags.FlagValues) -> "Settings":
    from lstmjax.render.settings import Degradation, Settings

    return Settings(
        width=values.xsize, height=values.ysize, resolution=values.resolution,
        point_size=values.ptsize, margin=values.margin, leading=values.leading,
        char_spacing=values.char_spacing, writing_mode=values.writing_mode,
        box_padding=values.box_padding, ligatures=values.ligatures,
        strip_unrenderable_words=values.strip_unrenderable_words,
        underline_start=values.underline_start_prob,
        underline_continuation=values.underline_continuation_prob,
        word_boxes=values.output_word_boxes or values.render_ngrams, max_pages=values.max_pages,
        degradation=Degradation(
            degrade=values.degrade_image, rotate=values.rotate_image, exposure=values.exposure,
            distort=values.distort_image, invert=values.invert, white_noise=values.white_noise,
            smooth_noise=values.smooth_noise, blur=values.blur,
            both_ways=values.bidirectional_rotation, seed=values.seed,
        ),
    )  # fmt: skip


def _catalog(values: flags.FlagValues) -> "FontCatalog":
    from lstmjax.render.catalog import FontCatalog

    catalog = FontCatalog(_folders(values))
    for problem in catalog.problems:
        _say(f"Skipped font file: {problem}")
    return catalog


def _folders(values: flags.FlagValues) -> list[str] | None:
    return [values.fonts_dir] if values.fonts_dir else None


def _list_fonts(catalog: "FontCatalog") -> int:
    names = [name.rstrip(",") for name in catalog.list_names()]
    for number, name in enumerate(names):
        print(f"{number:3d}: {name}")
    if not names:
        folders = ", ".join(map(str, catalog.folders)) or "the system's folders"
        raise DataError(f"no font found in {folders}; name a folder with --fonts_dir")
    return 0


def _fonts(values: flags.FlagValues, catalog: "FontCatalog") -> "list[FontEntry] | None":
    """The fonts that were asked for; None if one is missing, which is reported."""
    from lstmjax.render.catalog import read_font_list

    names = read_font_list(values.fontlist) if values.fontlist else [values.font]
    fonts = []
    for name in names:
        font = catalog.find(name)
        if font is not None:
            fonts.append(font)
            continue
        _say(f"Could not find font named '{name}'.")
        nearest = catalog.suggest(name)
        if nearest:
            _say(f"Pango suggested font '{nearest}'.")
        else:
            _say("No font was found at all; name a folder with fonts: --fonts_dir.")
        _say(f"Please correct --{'fontlist' if values.fontlist else 'font'} arg.")
    if not names:
        raise UsageError(f"--fontlist {values.fontlist}: names no font")
    return fonts if len(fonts) == len(names) else None


def _text(values: flags.FlagValues) -> str:
    """The text as it goes on the pages."""
    from lstmjax.render.files import read_text
    from lstmjax.render.ngrams import spread

    try:
        text = read_text(values.text)
    except LstmjaxError:
        _say(f"Failed to read file: {values.text}")
        raise
    if values.unicharset_file:
        text = _known_words(text, values.unicharset_file)
    if values.render_ngrams or values.only_extract_font_properties:
        return spread(text, shuffle=values.render_ngrams, point_size=values.ptsize)
    return text


def _known_words(text: str, path: str) -> str:
    """Leave words out that a unicharset cannot encode."""
    from lstmjax.charset.unicharset import Unicharset
    from lstmjax.errors import CharsetError
    from lstmjax.formats import unicharset as unicharset_format

    try:
        unicharset = Unicharset(unicharset_format.load(path))
    except LstmjaxError:
        _say(f"Failed to load unicharset from file {path}")
        raise

    def known(word: str) -> bool:
        try:
            unicharset.encode(word)
        except CharsetError:
            return False
        return True

    words = text.split()
    kept = [word for word in words if known(word)]
    if len(kept) < len(words):
        _say(f"Left out {len(words) - len(kept)} of {len(words)} ngrams: not in {path}")
    if not kept:
        raise DataError(f"{path} has the unichars of none of the ngrams")
    return " ".join(kept)


def _render(
    text: str, values: flags.FlagValues, settings: "Settings", catalog: "FontCatalog",
    fonts: "list[FontEntry]",
) -> int:  # fmt: skip
    from lstmjax.render.files import Job, bases_for, run_job, run_jobs
    from lstmjax.render.glyph_images import GlyphImages

    glyphs = None
    if values.output_individual_glyph_images:
        glyphs = GlyphImages(values.glyph_resized_size, values.glyph_num_border_pixels_to_pad)
    if not values.fontlist:
        job = Job(text, fonts[0], values.outputbase, settings, glyphs)
        run_job(job, catalog, values.workers, _say)
        return 0
    bases = bases_for(values.outputbase, fonts)
    jobs = [
        Job(text, font, base, settings, glyphs) for font, base in zip(fonts, bases, strict=True)
    ]
    for outcome in run_jobs(jobs, _folders(values), values.workers):
        for message in outcome.messages:
            _say(message)
        left_out = outcome.words_left_out
        _say(
            f"{outcome.base}: {outcome.pages} pages, {outcome.lines} lines"
            + (f", {left_out} words left out" if left_out else "")
        )
    return 0


def _extract(
    text: str, values: flags.FlagValues, settings: "Settings", catalog: "FontCatalog",
    fonts: "list[FontEntry]",
) -> int:  # fmt: skip
    from dataclasses import replace

    from lstmjax.formats.files import write_atomically
    from lstmjax.render.files import bases_for
    from lstmjax.render.pages import PageRenderer
    from lstmjax.render.spacing import measure, show

    bases = bases_for(values.outputbase, fonts) if values.fontlist else [values.outputbase]
    _say("Extracting font properties only")
    for font, base in zip(fonts, bases, strict=True):
        renderer = PageRenderer(
            catalog.open(font, settings.pixels), replace(settings, word_boxes=False)
        )
        found = measure(text, renderer)
        write_atomically(f"{base}.fontinfo", show(found).encode())
    _say("Done!")
    return 0


def _find_fonts(values: flags.FlagValues, settings: "Settings", catalog: "FontCatalog") -> int:
    from lstmjax.formats.files import write_atomically
    from lstmjax.render import tiff
    from lstmjax.render.degrade import threshold
    from lstmjax.render.find_fonts import first_page, measure_fonts, title_face
    from lstmjax.render.pages import PageDegrader

    text = _text(values)
    _say(f"Total chars = {len(text)}")
    titles = title_face(catalog, settings) if values.render_per_font else None
    degrader = PageDegrader(settings)
    names: list[str] = []
    for hits, face in measure_fonts(text, catalog, settings.pixels):
        if not hits.reaches(values.min_coverage):
            _say(hits.failure)
            continue
        _say(str(hits))
        if values.render_per_font:
            clean = first_page(text, face, str(hits), titles, settings, len(names))
            path = f"{values.outputbase}.{hits.name.replace(' ', '_')}.tif"
            strip = tiff.compress(threshold(degrader.next_task(clean)().image))
            write_atomically(path, tiff.pack([strip]))
            _say(f"Rendered page {len(names)} to file {path}")
        names.append(hits.name)
        if 0 < settings.max_pages <= len(names):
            break
    if not names:
        raise DataError(f"no font has {values.min_coverage:.0%} of the text; lower --min_coverage")
    if not values.render_per_font:
        listed = "".join(f"{name}\n" for name in names)
        write_atomically(f"{values.outputbase}.fontlist.txt", listed.encode())
    return 0
