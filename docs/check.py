"""Check the pages that were built: every link and picture leads somewhere, no path of a machine.

``python check.py`` looks at ``_build/html``; it needs no network, and nothing but Python.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parent
PLACES = {"href", "src"}


class Page(HTMLParser):
    """Collects what a page offers (ids), what it points at, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.text: list[str] = []
        self.unnamed: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[key] for key in ("id", "name") if key in found}
        self.links += [found[key] for key in PLACES if key in found]
        self.text += found.values()
        if tag == "img" and not found.get("alt", "").strip():
            self.unnamed.append(found.get("src", ""))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def problems(site: Path) -> Iterator[str]:
    """Yield one line for each thing that is wrong with a site."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    if not pages:
        yield f"there are no pages in {site}"
    private = [str(HERE.parent), str(Path.home()), f"{tempfile.gettempdir()}/"]
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        for link in page.links:
            reason = _dead(path, link, pages)
            if reason:
                yield f"{name}: {link}: {reason}"
        for src in page.unnamed:
            yield f"{name}: the picture {src} has no text that says what it shows"
        text = "".join(page.text)
        for place in private:
            if len(place) > 3 and place in text:
                yield f"{name}: the page has a path of this machine: {place}"


def _dead(path: Path, link: str, pages: dict[Path, Page]) -> str:
    """Say why a link leads nowhere; empty if it does not."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists():
        return "there is no such file"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        return "there is no such place on that page"
    return ""


def main(site: Path = HERE / "_build" / "html") -> int:
    found = list(problems(site))
    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(list(site.rglob('*.html')))} pages, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
