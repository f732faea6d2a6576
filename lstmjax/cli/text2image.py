"""Render text to page images and box files.

Flags, messages and files are those of Tesseract 5.3.0 `text2image`; docs/text2image.md lists the
differences.
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
    ("text", "", "File with the text to render"),
    ("outputbase", "", "Base name of the image and box files"),
    ("font", "Arial", "Font: a font description, or the path of a font file"),
    ("fontlist", "", "Several fonts, separated by commas or plus signs, or a file with one name "
     "per line; each is written to <outputbase>.<Font_Name>"),
    ("fonts_dir", "", "Folder with fonts; default: the system's folders"),
    ("fontconfig_tmpdir", "", "Accepted for compatibility, without effect"),
    ("writing_mode", "horizontal", "'horizontal', 'vertical' (narrow characters lie on their "
     "side) or 'vertical-upright' (all characters stand)"),
    ("unicharset_file", "", "With --render_ngrams: unicharset; ngrams with other unichars are left "
     "out"),
)  # fmt: skip
_BOOLS = (
    ("degrade_image", True, "Degrade the image with speckle noise, blur and rotation"),
    ("rotate_image", True, "Rotate the image at random"),
    ("distort_image", False, "Degrade the image with noise, blur and inversion"),
    ("invert", True, "With --distort_image: maybe invert the image"),
    ("white_noise", True, "With --distort_image: maybe add Gaussian noise"),
    ("smooth_noise", True, "With --distort_image: maybe add smoothed noise"),
    ("blur", True, "With --distort_image: maybe blur the image"),
    ("strip_unrenderable_words", True, "Remove words that the font cannot render from the text"),
    ("ligatures", False, "Rebuild and render ligatures"),
    ("find_fonts", False, "Search for all fonts that can render the text"),
    ("render_per_font", True, "With --find_fonts: render each font to its own image, "
     "<outputbase>.<Font_Name>.tif"),
    ("list_available_fonts", False, "List the available fonts and quit"),
    ("render_ngrams", False, "Render the space-separated parts of the text in random order, each "
     "with one box"),
    ("output_word_boxes", False, "Write boxes of words instead of characters"),
    ("bidirectional_rotation", False, "Render all pages a second time, rotated the other way"),
    ("only_extract_font_properties", False, "Measure the spacing of the bigrams of the text and "
     "write it to <outputbase>.fontinfo"),
    ("output_individual_glyph_images", False, "Also write each character as a JPEG"),
)  # fmt: skip
_INTEGERS = (
    ("exposure", 0, "Darkness of the page, as the exposure level of a photocopier"),
    ("resolution", 300, "Resolution of the image, in pixels per inch"),
    ("xsize", 3600, "Width of the image, in pixels"),
    ("ysize", 4800, "Height of the image, in pixels"),
    ("max_pages", 0, "Largest number of pages; 0: no limit"),
    ("margin", 100, "Margin of the page, in pixels"),
    ("ptsize", 12, "Size of the text, in points"),
    ("leading", 12, "Space between lines, in pixels"),
    ("box_padding", 0, "Padding around boxes, in pixels"),
    ("glyph_resized_size", 0, "Side length of the image of a character, in pixels"),
    ("glyph_num_border_pixels_to_pad", 0, "White border of the image of a character, in pixels"),
    ("seed", 0x18273645, "Seed of the degradation"),
    ("workers", 1, "Number of pages or fonts rendered at a time"),
    ("tlog_level", 0, "Accepted for compatibility, without effect"),
)  # fmt: skip
_FLOATS = (
    ("char_spacing", 0.0, "Extra space between characters, in ems"),
    ("underline_start_prob", 0.0, "Fraction of words to underline, 0 to 1"),
    (
        "underline_continuation_prob",
        0.0,
        "Probability that an underline continues to the next word, 0 to 1",
    ),
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
    """What is wrong with the flags, in Tesseract's words where it has a message for it."""
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
    """The fonts asked for; None if one is missing, after a message about it."""
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
    """The text to render, after the changes that the flags ask for."""
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
    """Leave out the words that a unicharset cannot encode."""
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
    # Each font's page draws its own part of one stream of random numbers.
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
