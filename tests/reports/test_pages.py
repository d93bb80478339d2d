from __future__ import annotations

from html.parser import HTMLParser

import pytest

from reports import pages
from search.history import History
from tests.reports import studies

LOADING = {"src", "href", "srcset", "data", "action", "poster", "background"}


class Loads(HTMLParser):
    """Collects what a browser would fetch for a page, and its text outside of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in LOADING]

    def handle_data(self, data):
        if self.tags[-1:] != ["script"]:
            self.text += data


def read(page: str) -> Loads:
    loads = Loads()
    loads.feed(page)
    return loads


@pytest.fixture(scope="module")
def page() -> str:
    history = studies.small()
    return pages.page(history, studies.study_of(history))


def test_nothing_is_loaded_from_elsewhere(page):
    loads = read(page)
    assert loads.fetched == []
    assert not {"link", "iframe", "img", "object", "base"} & set(loads.tags)
    assert "@import" not in pages.STYLE
    assert len(page.encode()) < 6_000_000


def test_plotly_is_there_once_and_draws_each_chart(page):
    assert page.count("plotly.js v") == 1
    for chart in ("front", "knobs", "hypervolume"):
        assert f'Plotly.newPlot(                        "{chart}"' in page


def test_the_data_are_there(page):
    text = read(page).text
    for said in ("hand-made", "0.5500", "0.8000", "knee", "1 pruned", "!near_one [0.9, 0.9999]"):
        assert said in text
    for candidate in (0, 1, 2, 3):
        assert f"\\u003cb\\u003ecandidate {candidate}\\u003c" in page
    assert "candidate 4\\u003c" not in page


def test_the_same_history_gives_the_same_page(page):
    history = studies.small()
    assert pages.page(history, studies.study_of(history)) == page


def test_what_a_file_says_cannot_leave_its_place():
    text = studies.TEXT + "# </pre><script>alert(1)</script>\n"
    events = [studies.opened(text), *studies.small_events()[1:]]
    history = History.of(events)
    assert "<script>alert" not in pages.page(history, studies.study_of(history))


def test_an_empty_front_is_a_small_page_that_says_so():
    history = studies.empty()
    page = pages.page(history, studies.study_of(history))
    assert "No candidate has finished the whole stream" in read(page).text
    assert len(page) < 10_000
