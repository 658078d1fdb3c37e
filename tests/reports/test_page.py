"""The page of a scale: whole, the same again from its cells, and usable in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sample_results import write_results

from harness.errors import UserError
from harness.reports.rendering import DATA, FILES, PAGE, render, render_index, render_results

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "chromium-headless-shell")

DRIVE = """
<script>
const rows = (table) => [...table.tBodies[0].rows].map((row) => row.cells);
const texts = (table, place) => rows(table).map((cells) => cells[place].textContent.trim());
const shown = () => [...document.querySelectorAll("article:not([hidden])")].map((each) => each.id);
const choose = (name, value) => {
  const select = document.querySelector(`select[name=${name}]`);
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
};
const found = { all: shown() };
choose("verdict", "reproduced");
found.verdict = shown();
const listed = [...document.querySelectorAll("nav tbody tr:not([hidden])")];
found.listed = listed.map((row) => row.cells[0].innerText);
found.said = document.getElementById("shown").textContent;
choose("verdict", "");
choose("dataset", "Natural Questions");
choose("paper", "trisampler");
found.none = shown();
choose("dataset", "");
found.paper = shown();
const table = document.querySelector("#trisampler-table-5 table");
const heading = table.tHead.rows[1].cells[2];
found.before = texts(table, 2);
heading.querySelector("button").click();
found.up = texts(table, 2);
found.sort = heading.getAttribute("aria-sort");
heading.querySelector("button").click();
found.down = texts(table, 2);
table.tHead.rows[1].cells[0].querySelector("button").click();
found.names = texts(table, 0);
found.loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
found.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
found.unnamed = [...document.querySelectorAll("svg, select, .scroll")].filter(
  (each) => !each.getAttribute("aria-label") && !(each.labels && each.labels.length)).length;
document.body.innerHTML = "";
document.body.append(JSON.stringify(found));
</script>
"""


class Links(HTMLParser):
    """The ids of a page and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            elif name in ("href", "xlink:href", "src"):
                self.targets.add(str(value))
            self.targets |= {f"#{each}" for each in re.findall(r"url\(#([^)]*)\)", str(value))}


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scale = tmp_path_factory.mktemp("results") / "scratch"
    write_results(scale)
    render_results(scale.parent)
    return scale


@pytest.fixture(scope="module")
def page(scale: Path) -> str:
    return (scale / PAGE).read_text(encoding="utf-8")


def contents(scale: Path) -> dict[str, bytes]:
    return {str(path.relative_to(scale)): path.read_bytes() for path in scale.rglob("*") if path.is_file()}


def test_what_is_rendered_is_made_again_byte_for_byte(scale: Path, tmp_path: Path) -> None:
    before, again = contents(scale), tmp_path / "scratch"
    assert len(before) == 3 * len(FILES) + 1
    for name, data in before.items():
        if Path(name).name in DATA:
            (again / name).parent.mkdir(parents=True, exist_ok=True)
            (again / name).write_bytes(data)
    render_results(again.parent)
    assert contents(again) == before


def test_one_target_refreshes_the_page_and_what_it_links_to(scale: Path, tmp_path: Path) -> None:
    again = tmp_path / "scratch"
    shutil.copytree(scale, again)
    shutil.rmtree(again / "simans")
    (again / "trisampler/table-5-readings/table.tex").unlink()
    (again / PAGE).unlink()
    (again / "simans/table-3").mkdir(parents=True)  # another process has written half of it
    shutil.copy(again / "trisampler/table-5/cells.json", again / "simans/table-3")
    paths = render_results(again.parent, "trisampler/table-5")
    assert [path.name for path in paths] == ["table-5", PAGE]
    assert (again / "trisampler/table-5-readings/table.tex").exists()
    text = (again / PAGE).read_text(encoding="utf-8")
    assert "trisampler-table-5-readings" in text and "simans/table" not in text
    with pytest.raises(UserError, match="no results of a/b below"):
        render_results(again.parent, "a/b")


def test_no_link_is_broken_and_no_id_is_there_twice(scale: Path, page: str) -> None:
    pages = {scale / PAGE: page}
    pages |= {path: path.read_text(encoding="utf-8") for path in scale.glob("*/*/table.html")}
    assert len(pages) == 4
    for path, text in pages.items():
        links = Links(text)
        assert len(links.ids) == len(set(links.ids))
        assert {target[1:] for target in links.targets if target.startswith("#")} <= set(links.ids)
        files = {target for target in links.targets if not target.startswith(("#", "data:"))}
        assert len(files) > 5 and all((path.parent / target).exists() for target in files)


def test_every_target_says_all_there_is_to_know(page: str) -> None:
    articles = page.split("<article")[1:]
    assert len(articles) == 3
    for article in articles:
        for words in (
            "Verdict: ",
            "<table",
            '<svg role="img" aria-label=',
            "<h3>Notes</h3>",
            "0123abc",
            "A processor, 2 cores",
            "5cfd01faa108e93c",
            "2026-11-21 15:50",
            "harness reproduce ",
        ):
            assert words in article, words
    assert "An &lt;i&gt; &amp; a |" in page and "<i>" not in page
    assert page.count('<em class="state">not run</em>') > 0
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_in_a_browser_filter_and_sort_work_without_an_error(page: str, tmp_path: Path) -> None:
    state, console = driven(page, tmp_path)
    assert state["all"] == ["simans-table-2", "trisampler-table-5", "trisampler-table-5-readings"]
    assert state["verdict"] == ["simans-table-2"] and state["listed"] == ["simans/table-2"]
    assert state["said"] == "1 of 3 shown"
    assert state["none"] == []
    assert state["paper"] == ["trisampler-table-5", "trisampler-table-5-readings"]
    figures = [text for text in state["before"] if text != "not run"]
    ordered = sorted(figures, key=lambda text: float(text.split()[0]))
    assert figures != ordered and len(figures) == 6
    assert state["up"] == [*ordered, "not run"] and state["sort"] == "ascending"
    assert state["down"] == [*ordered[::-1], "not run"]
    assert state["names"] == sorted(state["names"], key=str.lower)
    assert state["loaded"] == [] and not state["wide"] and state["unnamed"] == 0
    assert not console


def driven(page: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Open a page, use it as `DRIVE` says, and return what that found and what the console said."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser on this machine ({', '.join(BROWSERS)})")
    (folder / "driven.html").write_text(page.replace("</body>", f"{DRIVE}</body>"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    options += [f"--user-data-dir={folder / 'profile'}", "--window-size=420,900", "--dump-dom"]
    done = subprocess.run(
        [browser, *options, (folder / "driven.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    body = done.stdout.partition("<body>")[2].partition("</body>")[0]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(re.sub("&(lt|gt|amp);", "?", body)), console


def test_the_page_of_an_empty_scale_says_so(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    assert "0 targets." in render_index(tmp_path / "scratch").read_text(encoding="utf-8")


def test_results_of_an_earlier_harness_are_left_out_and_named(
    scale: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = shutil.copytree(scale, tmp_path / "before")
    path = before / "simans/table-2/cells.json"
    cells = json.loads(path.read_text())
    del cells["columns"]
    path.write_text(json.dumps(cells))
    page = render_index(before).read_text()
    assert "simans/table-2" not in page and "trisampler/table-5" in page
    assert (
        "omitted from the page" in caplog.text
        and "harness reproduce simans/table-2 --scale scratch" in caplog.text
    )
    with pytest.raises(UserError, match=r"simans/table-2/cells.json: results of another version"):
        render(path.parent)
