import numpy as np
import pytest
from pages import page_samples
from PIL import Image

from lstmjax.errors import DataError
from lstmjax.pages import Line, Problem, Settings, lines_of
from lstmjax.pages.xml_lines import find_image, read_xml

PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">
 <Page imageFilename="{image}" imageWidth="150" imageHeight="80"><TextRegion id="r">
  <TextLine id="l1"><Coords points="10,10 100,10 100,30 10,30"/>
   <Baseline points="10,28 100,28"/>
   <TextEquiv index="1"><Unicode>second best</Unicode></TextEquiv>
   <TextEquiv index="0"><Unicode>  first
    e\u0301 </Unicode></TextEquiv></TextLine>
  <TextLine id="l2"><Coords points="20,40 60,50 20,60"/>
   <Word><TextEquiv><Unicode>two</Unicode></TextEquiv></Word>
   <Word><TextEquiv><Unicode>words</Unicode></TextEquiv></Word></TextLine>
  {more}
 </TextRegion></Page></PcGts>
"""
OLD_PAGE = """<PcGts><Page imageFilename="x.png"><TextLine id="a"><Coords>
<Point x="1" y="2"/><Point x="9" y="2"/><Point x="9" y="8"/></Coords>
<TextEquiv><Unicode>old</Unicode></TextEquiv></TextLine></Page></PcGts>"""
ALTO = """<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description>
<MeasurementUnit>{unit}</MeasurementUnit>
<sourceImageInformation><fileName>x.png</fileName></sourceImageInformation></Description>
<Layout><Page WIDTH="150" HEIGHT="80"><TextBlock>
<TextLine ID="l1" HPOS="10" VPOS="10" WIDTH="30" HEIGHT="20" BASELINE="28">
 <String CONTENT="one"/><SP/><String CONTENT="tw"/><HYP CONTENT="-"/></TextLine>
<TextLine ID="l2" HPOS="0" VPOS="0" WIDTH="9" HEIGHT="9">
 <Shape><Polygon POINTS="20 40 60 50 20 60"/></Shape>
 <String CONTENT="a"/><String CONTENT="b"/></TextLine>
</TextBlock></Page></Layout></alto>"""


@pytest.fixture
def folder(tmp_path):
    Image.fromarray(page_samples.grey()).save(tmp_path / "x.png", dpi=(254, 254))
    return tmp_path


def read(folder, text: str, settings=None) -> tuple[list[Line], list[Problem]]:
    (folder / "x.xml").write_text(text)
    problems: list[Problem] = []
    return list(lines_of(str(folder / "x.xml"), settings, on_problem=problems.append)), problems


def page_file(more: str = "", image: str = "x.png") -> str:
    return PAGE.format(more=more, image=image)


def test_page(folder):
    lines, problems = read(folder, page_file())
    assert problems == []
    assert [line.text for line in lines] == ["first é", "two words"]
    assert lines[0].rect == (10, 80 - 31, 101, 80 - 10)
    np.testing.assert_array_equal(lines[0].crop.pixels, page_samples.grey()[10:31, 10:101])
    assert lines[0].boxes[0].tolist() == [0, 0, 91, 21]
    assert lines[0].path == str(folder / "x.png")


def test_page_as_it_was_before_2013(folder):
    (line,), _ = read(folder, OLD_PAGE)
    assert (line.text, line.rect) == ("old", (1, 71, 10, 78))


@pytest.mark.parametrize("unit", ["pixel", "mm10"])  # alike at 254 dots an inch
def test_alto(folder, unit):
    lines, problems = read(folder, ALTO.format(unit=unit))
    assert problems == []
    assert [line.text for line in lines] == ["one tw-", "a b"]
    assert lines[0].rect == (10, 50, 40, 70)
    assert lines[1].rect == (20, 80 - 61, 61, 80 - 40)


@pytest.mark.parametrize(("background", "level"), [("white", 255), ("paper", None)])
def test_what_is_outside_the_polygon_is_covered(folder, background, level):
    lines, _ = read(folder, page_file(), Settings(background=background))
    pixels = lines[1].crop.pixels
    corner = pixels[0, -8:]  # far from the triangle
    assert (corner == corner[0]).all()
    assert corner[0] == level or (level is None and 150 < corner[0] < 255)
    np.testing.assert_array_equal(pixels[2:-2, 1], page_samples.grey()[42:59, 21])


def test_palettes_and_colours_are_cut_too(folder):
    Image.fromarray(page_samples.colour()).quantize(99).save(folder / "x.png")
    lines, _ = read(folder, page_file())
    assert lines[1].crop.pixels.shape == (21, 41, 3)
    assert lines[1].crop.palette is None


BAD_LINES = {
    "no-text": ('<Coords points="1,1 9,1 9,9"/>', "the line has no text"),
    "no-outline": ("TEXT", "no Coords element"),
    "two-points": ('<Coords points="1,1 9,9"/>TEXT', "2 points, expected at least 3"),
    "outside": ('<Coords points="900,1 990,1 990,9"/>TEXT', r"x 900 to 990, .* outside the image"),
    "flat": ('<Coords points="1,5 9,5 5,5"/>TEXT', "outside the image or has no area"),
    "odd": ('<Coords points="1,1 9"/>TEXT', "not pairs of numbers"),
    "words": ('<Coords points="a,b c,d"/>TEXT', "could not convert"),
    "far": ('<Coords points="1,1 1e300,1 9,9"/>TEXT', "coordinates that no image has"),
    "infinite": ('<Coords points="inf,1 2,nan"/>TEXT', "not pairs of numbers"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_bad_lines_are_named_and_the_rest_is_kept(folder, kind):
    content, message = BAD_LINES[kind]
    content = content.replace("TEXT", "<TextEquiv><Unicode>x</Unicode></TextEquiv>")
    lines, (problem,) = read(folder, page_file(f"<TextLine id='bad'>{content}</TextLine>"))
    assert len(lines) == 2
    assert problem.place == "bad"
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(problem.reason)


@pytest.mark.parametrize("side", ["inf", "nan", "1e99", "x", ""])
def test_bad_rectangles_are_named(folder, side):
    text = ALTO.format(unit="pixel").replace('HPOS="10"', f'HPOS="{side}"')
    lines, (problem,) = read(folder, text)
    assert len(lines) == 1
    assert problem.place == "l1"


BOMB = """<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><PcGts>&b;</PcGts>"""
BAD_FILES = {
    "no-xml": ("hello", "not well-formed XML"),
    "empty": ("", "not well-formed XML"),
    "cut-off": (PAGE[:300], "not well-formed XML"),
    "entities": (BOMB, "refused: the XML defines entities"),
    "other": ("<html/>", "begins with 'html', expected PcGts or alto"),
    "no-page": ("<PcGts/>", "without a Page element"),
    "no-pages": ("<alto/>", "without a Page element"),
    "no-lines": ("<PcGts><Page imageFilename='x.png'/></PcGts>", "no TextLine elements"),
    "unit": (ALTO.format(unit="ells"), "unit 'ells', expected pixel, mm10 or inch1200"),
    "size": (PAGE.replace('"150"', '"151"').format(image="x.png", more=""), "151 x 80 pixels, fou"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files_are_refused(folder, kind):
    content, message = BAD_FILES[kind]
    with pytest.raises(DataError, match=rf"x\.xml: .*{message}"):
        read(folder, content)


def test_lengths_need_a_resolution(folder):
    Image.fromarray(page_samples.grey()).save(folder / "x.png")
    with pytest.raises(DataError, match="the image does not say its resolution"):
        read(folder, ALTO.format(unit="inch1200"))


def test_more_pages_than_images(folder):
    text = ALTO.format(unit="pixel")
    page = text[text.index("<Page") : text.index("</Layout>")]
    with pytest.raises(DataError, match=r"describes 2 pages, but .*x\.png has 1"):
        read(folder, text.replace(page, page + page))


@pytest.mark.parametrize(
    "name",
    ["x.png", "C:\\scans\\x.png", "/elsewhere/x.png", "images/x.png", "", "gone.jpg"],
    ids=["beside", "windows", "absolute", "folder", "none", "own-name"],
)
def test_images_are_found_beside_or_above(folder, name):
    for below in ("", "page/"):
        (folder / below).mkdir(exist_ok=True)
        assert find_image(f"{folder}/{below}x.xml", name) == f"{folder}/x.png"


def test_a_missing_image_is_named(folder):
    with pytest.raises(DataError, match=r"its image 'y\.tif' is neither beside it nor one"):
        find_image(f"{folder}/y.xml", "y.tif")


def test_documents_keep_the_order_of_the_file(folder):
    (folder / "x.xml").write_text(page_file())
    assert [line.name for line in read_xml(str(folder / "x.xml")).pages[0].lines] == ["l1", "l2"]
