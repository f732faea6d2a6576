"""The page in a real browser: curves, lines, pictures, Next; also as images for the documentation.

LSTMJAX_SCREENSHOTS=FOLDER writes what the documentation shows into a folder; with
LSTMJAX_SCREENSHOT_RUN=BASE of that run, which may still go on.
"""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import helpers
import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from training.small import flags
from view.conftest import ENVIRON

from lstmjax.view.files import RunFiles
from lstmjax.view.server import Site, named
from lstmjax.view.settings import ServerSettings

_MOST_BYTES = 150_000  # of an image in the documentation
HOSTILE = '<img src=x onerror="document.title=\'hacked\'"> & "quoted"'


def chromium() -> str:
    """The path of chromium; required under CI, else a skip without it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        message = "chromium is not installed (Debian: apt-get install chromium)"
        if helpers.IN_CI:
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser, serve):
    """A page whose console stays silent; it closes before its server does."""
    del serve
    opened = browser.new_page(viewport={"width": 1280, "height": 960})
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.set_default_timeout(60_000)
    yield opened
    opened.close()
    assert problems == []


def address(serve, *outputs) -> str:
    return serve(Site(named([RunFiles(Path(output)) for output in outputs]), ServerSettings()))


def curve(page: Page, chart: str, name: str) -> list[float]:
    """The values of a curve that Plotly has drawn."""
    return page.evaluate(
        "([chart, name]) => document.getElementById(chart).data.find((t) => t.name === name).y",
        [chart, name],
    )


def drawn(page: Page) -> None:
    page.wait_for_selector("#errors .scatterlayer path.js-line", state="attached")


def until(page: Page, condition: str) -> None:
    """Wait for something to be true (the page's policy forbids Playwright's own way)."""
    for _ in range(600):
        if page.evaluate(f"() => Boolean({condition})"):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"not true after a minute: {condition}")


def test_page_shows_the_curves_of_a_run(page, serve, watched):
    page.goto(address(serve, watched))
    drawn(page)
    records = [
        json.loads(line) for line in watched.with_name("m.metrics.jsonl").read_text().splitlines()
    ]
    reports = [record for record in records if record["event"] == "train"]
    (evaluated,) = [record["cer"] for record in records if record["event"] == "eval"]
    assert curve(page, "errors", "BCER, training") == [record["bcer"] for record in reports]
    assert curve(page, "errors", "CER, evaluation") == [evaluated]
    for chart in ("gradient", "weights", "change", "rate"):
        assert len(curve(page, chart, "Output")) == 2
    tiles = page.inner_text("#tiles")
    assert "200" in tiles
    assert "of 200" in tiles
    page.wait_for_selector(".sample image")
    assert page.inner_text("#about").startswith("[1,12,0,1 Ct3,3,4")


def test_pictures_of_layers_can_be_stepped_through(page, serve, watched):
    page.goto(address(serve, watched))
    drawn(page)
    until(page, "document.querySelector('#windows img')?.naturalWidth > 0")
    assert page.input_value("#iteration") == "100"
    titles = page.locator("#windows figcaption").all_inner_texts()
    assert titles[:2] == ["LSTMForward", "LSTMTraining"]
    assert {"ConvNL", "Output", "Output-back"} <= set(titles)
    page.click("#earlier")
    until(page, "document.querySelector('#windows img').src.includes('/debug/0/')")
    page.click("summary")
    assert page.locator("#layers img").count() == 10


def test_texts_are_shown_as_texts(page, serve, watched, tmp_path):
    shutil.copytree(watched.parent, tmp_path / "run")
    view = tmp_path / "run" / "m.view"
    sample = json.loads((view / "samples.jsonl").read_text().splitlines()[-1])
    for line in sample["lines"]:
        line.update(name=HOSTILE, truth=HOSTILE, parts=[["delete", HOSTILE, ""]])
    (view / "samples.jsonl").write_text(json.dumps(sample) + "\n")
    (view / "skips.json").write_text(json.dumps([{"count": 1, "reason": HOSTILE, "text": HOSTILE}]))
    page.goto(address(serve, tmp_path / "run" / "m"))
    drawn(page)
    assert HOSTILE in page.inner_text("#samples")
    assert HOSTILE in page.inner_text("#skips")
    assert page.locator("#samples img, #skips img").count() == 0
    assert page.title() == "m · lstmjax"


def test_several_runs_beside_each_other(page, serve, watched, tmp_path):
    shutil.copy(watched.with_name("m.metrics.jsonl"), tmp_path / "other.metrics.jsonl")
    page.goto(address(serve, watched, tmp_path / "other"))
    drawn(page)
    assert len(curve(page, "errors", "m: BCER, training")) == 2
    assert len(curve(page, "errors", "other: BCER, training")) == 2
    page.click("#runs button:nth-child(2)")
    assert page.get_attribute("#runs button:nth-child(2)", "aria-pressed") == "true"
    assert page.title() == "other · lstmjax"
    assert page.is_hidden("#debug")


def test_run_with_damaged_and_growing_files(page, serve, tmp_path):
    metrics = tmp_path / "m.metrics.jsonl"
    report = {"event": "train", "training_iteration": 100, "bcer": 50.0, "learning_rate": 1e-3,
              "lines_per_second": 9.0, "loss": None}  # fmt: skip
    metrics.write_text("not json\n" + json.dumps(report) + '\n{"event": "tr')
    page.goto(address(serve, tmp_path / "m"))
    drawn(page)
    assert curve(page, "errors", "BCER, training") == [50.0]
    with open(metrics, "a") as file:
        file.write('ain"}\n' + json.dumps({**report, "training_iteration": 200, "bcer": 40}) + "\n")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    until(page, "document.getElementById('errors').data[0].y.length === 2")


def test_next_button_leads_from_line_to_line(page, tmp_path):
    arguments = flags(tmp_path / "m", "--view", "--debug_interval", 1, iterations=8)
    command = [sys.executable, "-m", "lstmjax", *map(str, arguments)]
    environ = {k: v for k, v in ENVIRON.items() if not k.startswith("JAX_NUMPY_")}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stderr is not None
        url = next(line for line in process.stderr if line.startswith("Live view: ")).split()[-1]
        page.goto(url)
        for iteration in (0, 1):
            page.wait_for_selector("#next", state="visible")
            until(page, f"document.getElementById('iteration').value == '{iteration}'")
            assert process.poll() is None
            page.click("#next")
        page.wait_for_selector("#run-on", state="visible")
        with page.expect_response("**/api/next?how=all"):
            page.click("#run-on")
        page.close()  # the server will be gone, which the console would report
        rest = process.stderr.read()
        assert process.wait(60) == 0, rest
    assert (tmp_path / "m.view" / "debug" / "7" / "line.json").exists()


@pytest.mark.skipif("LSTMJAX_SCREENSHOTS" not in os.environ, reason="writes documentation")
def test_images_of_the_documentation(browser, serve, watched):
    folder = Path(os.environ["LSTMJAX_SCREENSHOTS"])
    output = Path(os.environ.get("LSTMJAX_SCREENSHOT_RUN", watched))
    url = address(serve, output)
    for scheme, name in (("light", "view"), ("dark", "view_dark")):
        opened = browser.new_page(viewport={"width": 1280, "height": 1010}, color_scheme=scheme)
        opened.goto(url)
        drawn(opened)
        opened.wait_for_selector(".sample image")
        opened.wait_for_timeout(1500)  # for pictures that are still on their way
        save(opened.screenshot(), folder / f"{name}.png")
        opened.close()
    iterations = RunFiles(output).debug_iterations()
    if not iterations:
        return
    wanted = {"debug_start": iterations[0], "debug_first": first_reading(output, iterations),
              "debug_end": iterations[-1]}  # fmt: skip
    for name, iteration in wanted.items():
        opened = browser.new_page(viewport={"width": 1100, "height": 1000})
        opened.goto(url)
        opened.wait_for_selector("#windows img")
        opened.evaluate("document.querySelector('header').style.position = 'static'")
        opened.select_option("#iteration", str(iteration))
        shown = f"document.querySelector('#windows img').src.includes('/debug/{iteration}/')"
        until(opened, shown)
        opened.wait_for_timeout(1500)
        save(opened.locator("#debug").screenshot(), folder / f"{name}.png")
        opened.close()


def first_reading(output: Path, iterations: list[int]) -> int:
    """The first iteration whose picture has several right characters."""
    for iteration in iterations:
        line = RunFiles(output).view / "debug" / str(iteration) / "line.json"
        about = json.loads(line.read_text())
        if len(set(about["truth"]) & set(about["reading"]) - {" "}) >= 3:
            return iteration
    return iterations[len(iterations) // 2]


def save(screenshot: bytes, path: Path) -> None:
    """Write a picture, with few colours if it is large."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    if data.tell() > _MOST_BYTES:
        data = io.BytesIO()
        few = picture.quantize(256, kmeans=3, dither=Image.Dither.NONE)
        few.save(data, "PNG", optimize=True)
    path.write_bytes(data.getvalue())
