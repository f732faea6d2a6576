"""The documentation is a site that can be built and read without a network."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import load_tool

import lstmjax

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


hooks, docstrings = load_tool("site/hooks"), load_tool("site/docstrings")


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The site, built with every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def html(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def reached(site: Path) -> set[str]:
    """The pages that links lead to from the first one."""
    found, waiting = set(), ["index.html"]
    while waiting:
        page = waiting.pop()
        if page in found:
            continue
        found.add(page)
        links = re.findall(r'href="([\w./-]+\.html)', html(site / page))
        waiting += [os.path.normpath(os.path.join(os.path.dirname(page), link)) for link in links]
    return found


def test_every_page_is_reachable(site):
    pages = {f"{path.relative_to(DOCS).with_suffix('')}.html" for path in DOCS.rglob("*.md")}
    assert pages - reached(site) == set()


def test_nothing_is_fetched_from_elsewhere(site):
    outside = r'<(?:script|link|img|iframe)[^>]*\s(?:src|href)="(?:https?:)?//[^"]*"'
    for page in site.rglob("*.html"):
        assert re.findall(outside, html(page)) == [], page.name
    for sheet in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)]*", html(sheet)) == []


def test_the_python_page_has_every_public_name(site):
    page = html(site / "api.html")
    names = {*lstmjax._HOMES, "train"}
    assert [name for name in names if f">{name}<" not in page and f".{name}<" not in page] == []
    for title in ("Parameters:", "Raises:", "Examples:", "Attributes:"):
        assert title in page


def test_code_blocks_are_code(site):
    for page in site.glob("*.html"):
        assert "console test" not in html(page), page.name
        assert "```" not in re.sub(r"<code>.*?</code>", "", html(page), flags=re.S), page.name


@pytest.mark.parametrize("name", ["read_lines", "make_unicharset", "make_starter"])
def test_examples_in_docstrings(name, tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    tests = doctest.DocTestFinder().find(getattr(lstmjax, name), name, globs={"lstmjax": lstmjax})
    assert tests[0].examples
    assert doctest.DocTestRunner().run(tests[0]).failed == 0


def test_navigation_is_that_of_the_index():
    index = (
        "# T\n\n- [no](section.md)\n\n## One\n\n- [A](a.md): x\n- [B, b](b.md)\n  y\n\n## Two\n\n"
    )
    assert hooks.navigation(index + "- [C](c.md)\n") == [
        {"lstmjax": "index.md"},
        {"One": [{"A": "a.md"}, {"B, b": "b.md"}]},
        {"Two": [{"C": "c.md"}]},
    ]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("```console test\n$ x\n```", "```console\n$ x\n```"),
        ("```console test short\n$ x\n```", "```console\n$ x\n```"),
        ("```python\nx\n```", "```python\nx\n```"),
        ("see [it](../README.md).", "see it (`README.md`)."),
        ("see [it](files.md).", "see [it](files.md)."),
    ],
)
def test_markdown_for_the_site(markdown, expected):
    assert hooks.for_the_site(markdown) == expected


def test_docstrings_for_the_site():
    text = "Do it.\n\nArgs:\n  x: one.\nReturns: two.\nRaises: E: why.\n\nExample:\n  >>> 1\n"
    assert docstrings.as_google(text) == (
        "Do it.\n\nArgs:\n  x: one.\n\n**Returns:** two.\n\n**Raises:** E: why.\n\n"
        "Examples:\n  >>> 1\n"
    )
