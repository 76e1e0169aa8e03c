"""Every link and every path that a page names leads somewhere."""

import re

import pytest

from tests.docs.pages import ROOT, Page, page, pages

FOLDERS = {"argoos", "bench", "docs", "manifests", "requirements", "tests"}
FORMED = re.compile(r"[\w./-]+")


def ids(each: Page) -> str:
    """Name a test by its page."""
    return each.name


@pytest.mark.parametrize("each", pages(), ids=ids)
def test_links_lead_to_files_and_headings(each: Page) -> None:
    """A relative link names a file or folder of the project, and its anchor a heading there."""
    for link in each.links():
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (each.path.parent / path).resolve() if path else each.path
        assert target.exists(), f"{each.name}: {link}"
        if anchor:
            assert anchor in page(str(target.relative_to(ROOT))).anchors(), f"{each.name}: {link}"


@pytest.mark.parametrize("each", pages(), ids=ids)
def test_paths_in_code_exist(each: Page) -> None:
    """A path of the project in inline code is there (`argoos/core/` and the like; placeholders have other signs)."""
    for span in each.spans():
        if "/" in span and span.split("/")[0] in FOLDERS and FORMED.fullmatch(span):
            assert (ROOT / span).exists(), f"{each.name}: {span}"


def test_every_page_is_found_from_the_first() -> None:
    """From README.md, every page can be reached by links."""
    reached: set[str] = set()
    waiting = ["README.md"]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        here = page(name)
        for link in here.links():
            target = (here.path.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists():
                waiting.append(str(target.relative_to(ROOT)))
            elif target.is_dir():
                waiting += [str(found.relative_to(ROOT)) for found in target.glob("*.md")]
    assert {each.name for each in pages()} <= reached
