"""The guide as a whole: what is generated of it is true, every link leads somewhere, and it needs no other site."""

import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs_pages import DOCS, PAGES, ROOT, blocks, written
from tests.support.patience import patience

OTHERS = tuple(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "models/README.md"))
needs_generator = pytest.mark.skipif(find_spec("zensical") is None, reason="no zensical here: the extra docs brings it")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_generated_is_as_the_code_has_it(page: Path) -> None:
    assert written(page) == page.read_text("utf-8"), "python -m tests.docs_pages writes it anew"


def test_the_readme_is_a_guide_not_a_reference() -> None:
    readme = (ROOT / "README.md").read_bytes()
    assert len(readme) <= 8000
    assert b"docs/page/live.png" in readme[:1000]


def test_every_page_is_in_the_navigation_once() -> None:
    def pages(nav: Any) -> list[str]:
        if isinstance(nav, str):
            return [nav]
        return [page for part in (nav.values() if isinstance(nav, dict) else nav) for page in pages(part)]

    config = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
    assert sorted(pages(config["nav"])) == sorted(path.name for path in DOCS.glob("*.md"))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of the headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_in_the_repository_leads_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`]*`", "", re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if urlsplit(link).scheme:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link
        if page.parent == DOCS:
            assert target.resolve().is_relative_to(DOCS), f"{link}: the site has only what is in docs/"


class Linked(HTMLParser):
    """The ids of a page, and what it links to or loads."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[tuple[str, str]] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.ids |= {said[name] for name in ("id", "name") if name in said}
        self.links += [(tag, said[name]) for name in ("href", "src") if name in said]


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build a copy of the guide there, as ``make docs`` does."""
    shutil.copytree(DOCS, folder / "docs", dirs_exist_ok=True)
    shutil.copy(ROOT / "zensical.toml", folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=patience(60))


@needs_generator
def test_the_site_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = build(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "build" / "site"
    pages = {path: Linked(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert {path.stem for path in pages} == {path.stem for path in DOCS.glob("*.md")}
    for path, page in pages.items():
        for tag, link in page.links:
            where = urlsplit(link)
            if where.scheme or where.netloc:
                assert tag == "a", f"{path.name} loads {link}"
                continue
            target = (path.parent / unquote(where.path)).resolve() if where.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{path.name}: {link}"
            if where.fragment and target in pages:
                assert unquote(where.fragment) in pages[target].ids, f"{path.name}: {link}"


@needs_generator
@pytest.mark.parametrize("link", ["nowhere.md", "mqtt.md#nowhere", "#nowhere"])
def test_a_broken_link_ends_the_build(link: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "broken.md").write_text(f"# Broken\n\n[broken]({link})\n")
    done = build(tmp_path)
    assert done.returncode == 1
    assert "does not exist" in done.stdout + done.stderr


def test_the_archive_of_the_source_has_what_builds_the_guide() -> None:
    included = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert {"docs", "zensical.toml"} <= set(included["include"])


def test_every_code_block_says_what_it_is() -> None:
    """Else a command could stand where no test runs it."""
    known = {"sh", "text", "python", "json", "toml", "ini", "yaml", ""}
    for page in PAGES:
        fences = re.findall(r"^ *```(.*)$", page.read_text("utf-8"), re.MULTILINE)
        assert set(fences[::2]) <= known, page
        assert not any(fences[1::2]), page
    for block in blocks(""):
        assert not re.search(r"^(sudo|edge|make|pip) ", block, re.MULTILINE)
