"""Hooks of MkDocs: the navigation, and changes to pages before they are rendered."""

import re
from pathlib import Path
from typing import Any

_LINK = re.compile(r"^- \[([^\]]+)\]\(([\w.]+\.md)\)", re.M)
_SECTION = re.compile(r"^## (.+)\n((?:.|\n)*?)(?=^## |\Z)", re.M)


def navigation(index: str) -> list[dict[str, Any]]:
    """The sections of the index and the pages they list."""
    sections = [
        {title: [{name: page} for name, page in _LINK.findall(body)]}
        for title, body in _SECTION.findall(index)
    ]
    return [{"lstmjax": "index.md"}, *sections]


def for_the_site(markdown: str) -> str:
    """Markdown as MkDocs understands it.

    Removes the tags that make tests of code blocks, and links that lead out of docs/.
    """
    markdown = re.sub(r"^( *```\w+) (?:test|run)\b.*$", r"\1", markdown, flags=re.M)
    return re.sub(r"\[([^\]]+)\]\(\.\./([^)]+)\)", r"\1 (`\2`)", markdown)


def on_config(config: Any) -> Any:
    """Take the navigation from the index, which lists every page."""
    index = Path(config["docs_dir"], "index.md").read_text(encoding="utf-8")
    config["nav"] = navigation(index)
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Change a page before it is rendered."""
    return for_the_site(markdown)
