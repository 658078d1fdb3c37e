"""The site of results: whole, the same again from its cells, light, and usable in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from sample_results import write_results

from harness.errors import UserError
from harness.reports.content import MadeRow
from harness.reports.kinds import read_cells
from harness.reports.pages import distinct_anchors
from harness.reports.rendering import (
    DATA,
    FILES,
    read_site,
    render,
    render_results,
    render_site,
    site_texts,
)
from harness.reports.site import PAGE, REPORT

COMMITTED = Path(__file__).parents[2] / "results"
HEAVIEST = 300_000
"""Bytes that no page reaches."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "chromium-headless-shell")

FOUND = """
<script>
const found = { wide: document.documentElement.scrollWidth > document.documentElement.clientWidth };
found.loaded = performance.getEntriesByType("resource").map((entry) => entry.name.split("/").pop());
found.unnamed = [...document.querySelectorAll("img, select, .scroll")].filter((each) =>
  !each.alt && !each.getAttribute("aria-label") && !(each.labels && each.labels.length)).length;
DRIVE
document.body.innerHTML = "";
document.body.append(JSON.stringify(found));
</script>
"""

FRONT = """
const shown = () => [...document.querySelectorAll("tr[data-verdict]:not([hidden])")].map((each) => each.id);
const choose = (name, value) => {
  const select = document.querySelector(`select[name=${name}]`);
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
};
choose("scale", "scratch");
found.all = shown();
choose("verdict", "reproduced");
found.verdict = shown();
found.papers = [...document.querySelectorAll(".paper:not([hidden])")].map((each) => each.id);
found.said = document.querySelector("output").textContent;
choose("verdict", "");
choose("dataset", "Natural Questions");
choose("paper", "TriSampler");
found.none = shown();
choose("dataset", "");
found.paper = shown();
"""

TARGET = """
const texts = (table, place) => [...table.tBodies[0].rows].map((row) => row.cells[place].textContent.trim());
const table = document.querySelector("table");
const heading = table.tHead.rows[1].cells[2];
found.before = texts(table, 2);
heading.querySelector("button").click();
found.up = texts(table, 2);
found.sort = heading.getAttribute("aria-sort");
heading.querySelector("button").click();
found.down = texts(table, 2);
table.tHead.rows[1].cells[0].querySelector("button").click();
found.names = texts(table, 0);
found.copy = document.querySelector(".command button").textContent;
"""


class Links(HTMLParser):
    """The ids of a page, where its links lead, and the text below each id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            elif name in ("href", "src"):
                self.targets.add(str(value))


@cache
def committed_pages() -> dict[Path, str]:
    """The pages of the committed results, made anew, with those of tunings as they are."""
    tunings = {path: path.read_text() for path in COMMITTED.glob(f"*/tuning/*/{REPORT}")}
    return {**tunings, **site_texts(COMMITTED)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("results")
    write_results(root / "scratch")
    render_results(root)
    return root


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / PAGE).read_text(encoding="utf-8")


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def check_links(pages: dict[Path, str]) -> None:
    """Every link of a page leads to a file, or to a page and a place in it, and no id is there twice."""
    read = {path: Links(text) for path, text in pages.items()}
    for path, links in read.items():
        assert len(links.ids) == len(set(links.ids)), path
        for target in links.targets - {"data:,"}:
            name, _, fragment = target.partition("#")
            to = Path(path.parent, unquote(name)).resolve() if name else path
            assert to in read or to.exists(), (path, target)
            assert not fragment or fragment in read[to].ids, (path, target)


def test_what_is_rendered_is_made_again_byte_for_byte(root: Path, tmp_path: Path) -> None:
    before = contents(root)
    assert len(before) == 3 * len(FILES) + 1
    for name, data in before.items():
        if Path(name).name in DATA:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(data)
    render_results(tmp_path)
    assert contents(tmp_path) == before


def test_one_target_refreshes_the_site_and_what_it_links_to(root: Path, tmp_path: Path) -> None:
    again = tmp_path / "results"
    shutil.copytree(root, again)
    shutil.rmtree(again / "scratch/simans")
    (again / "scratch/trisampler/table-5-readings/table.tex").unlink()
    (again / PAGE).unlink()
    (again / "scratch/simans/table-3").mkdir(parents=True)  # another process has written half of it
    shutil.copy(again / "scratch/trisampler/table-5/cells.json", again / "scratch/simans/table-3")
    paths = render_results(again, "trisampler/table-5")
    assert [path.name for path in paths] == ["table-5", PAGE]
    assert (again / "scratch/trisampler/table-5-readings/table.tex").exists()
    text = (again / PAGE).read_text(encoding="utf-8")
    assert "scratch/trisampler/table-5-readings/" in text and "scratch/simans" not in text
    with pytest.raises(UserError, match="no results of a/b below"):
        render_results(again, "a/b")


def test_no_link_is_broken_and_no_id_is_there_twice(root: Path, page: str) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in root.rglob("*.html")}
    assert len(pages) == 4 and pages[root / PAGE] == page
    check_links(pages)


def test_no_link_of_the_committed_site_is_broken() -> None:
    check_links(committed_pages())


def test_every_page_is_light() -> None:
    heavy = {str(path): len(text.encode()) for path, text in committed_pages().items()}
    heavy |= {str(path): path.stat().st_size for path in COMMITTED.glob("*/*/**/*.html")}
    assert max(heavy.values()) < HEAVIEST, max(heavy, key=lambda path: heavy[path])


def test_each_row_leads_to_its_runs() -> None:
    """In the committed results: whatever stands on runs has a link to a part of the page that names them."""
    rows = 0
    for made in read_site(COMMITTED).made:
        text = committed_pages()[COMMITTED / made.address]
        for row in [*getattr(made.cells, "rows", ()), *getattr(made.cells, "points", ())]:
            fingerprints = getattr(row, "fingerprints", ())
            if fingerprints:
                anchor = made.report.anchor_of(row.name)
                runs = text.partition(f'<tbody id="{anchor}">')[2].partition("</tbody>")[0]
                assert f'<a href="#{anchor}">' in text and all(of in runs for of in fingerprints), row.name
                rows += isinstance(row, MadeRow)
    assert rows > 100


def test_every_target_says_all_there_is_to_know(root: Path) -> None:
    pages = [path.read_text() for path in root.glob("*/*/*/*.html")]
    assert len(pages) == 3
    for text in pages:
        for words in (
            "Verdict: ",
            "<table",
            '<img src="figure.svg" alt="',
            "<h2>Notes</h2>",
            "0123abc",
            "A processor, 2 cores",
            "5cfd01faa108e93c",
            "2026-11-21 15:50",
            "harness reproduce ",
            '<tbody id="runs-bm25">',
        ):
            assert words in text, words
        assert not re.search(r'(src|href)="(https?:)?//', text)
        assert '<em class="state">not run</em>' in text or "readings" in text
    assert any("An &lt;i&gt; &amp; a |" in text for text in pages) and not any(
        "<i>" in text for text in pages
    )


def test_the_front_page_shows_the_best_published_figure_beside_the_reproduced_one(page: str) -> None:
    row = page.partition('<tr id="trisampler-table-5"')[2].partition("</tr>")[0]
    assert "41.4 <small>TriSampler, MRR@10</small> <small>+1.7 from Uniform Sampling</small>" in row
    assert re.search(
        r'<a href="scratch/trisampler/table-5/table.html" title="[^"]*">\d+\.\d ± \d\.\d</a>', row
    )
    assert re.search(r"<small>\+\d\.\d \[[+-]?\d\.\d, \+\d\.\d\]</small>", row)
    assert "<small>12 of 12 published figures, 3 seeds, pipeline check</small>" in row
    assert 'data-verdict="pipeline check"' in row and 'data-scale="scratch"' in row


def test_what_is_not_made_is_listed_and_what_cannot_be_has_its_reason(page: str) -> None:
    def row(anchor: str) -> str:
        return page.partition(f'<tr id="{anchor}"')[2].partition("</tr>")[0]

    assert "not made yet" in row("simans-table-7") and "href" not in row("simans-table-7")
    assert "cannot be reproduced: a sketch of the principle" in row("trisampler-figure-2")
    assert 'data-verdict="cannot be reproduced"' in row("trisampler-figure-2")


def test_papers_come_before_calibrations_and_tables_before_figures(page: str) -> None:
    sections = re.findall(r'<section id="([^"]*)" class="paper">', page)
    assert sections == ["simans", "trisampler", "ar2", "calibration"]
    rows = re.findall(r'<tr id="trisampler-([^"]*)"', page)
    assert rows == [
        *(
            "table-1",
            "table-2",
            "table-3",
            "table-4",
            "table-5",
            "table-5-ar2",
            "table-5-readings",
            "table-6",
        ),
        *("figure-1", "figure-2", "figure-3", "figure-4"),
    ]
    ar2 = re.findall(r'<tr id="ar2-([^"]*)"', page)
    assert ar2[-2:] == ["table-5", "table-10"]


def test_pages_lead_to_their_neighbours_and_to_other_scales(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)
    shutil.copytree(root / "scratch", tmp_path / "quick")
    shutil.rmtree(tmp_path / "quick/simans")
    render_site(tmp_path)
    text = (tmp_path / "scratch/trisampler/table-5/table.html").read_text()
    assert (
        '<a href="../../../quick/trisampler/table-5/table.html">quick</a>, <strong>scratch</strong>' in text
    )
    assert text.count('href="../../../scratch/trisampler/table-5-readings/table.html"') == 2
    assert '<a href="../../../index.html#trisampler">TriSampler</a>' in text
    check_links({path: path.read_text() for path in tmp_path.rglob("*.html")})


def test_in_a_browser_filter_and_sort_work_without_an_error(root: Path, tmp_path: Path) -> None:
    state, console = driven((root / PAGE), FRONT, tmp_path)
    assert state["all"] == ["simans-table-2", "trisampler-table-5", "trisampler-table-5-readings"]
    assert state["verdict"] == ["simans-table-2"] and state["papers"] == ["simans"]
    assert re.fullmatch(r"1 of \d+ shown", state["said"])
    assert state["none"] == []
    assert state["paper"] == ["trisampler-table-5", "trisampler-table-5-readings"]
    assert state["loaded"] == [] and not state["wide"] and state["unnamed"] == 0
    assert not console


def test_in_a_browser_a_target_sorts_and_offers_its_command(root: Path, tmp_path: Path) -> None:
    state, console = driven(root / "scratch/trisampler/table-5" / REPORT, TARGET, tmp_path)
    figures = [text for text in state["before"] if text != "not run"]
    ordered = sorted(figures, key=lambda text: float(text.split()[0]))
    assert figures != ordered and len(figures) == 6
    assert state["up"] == [*ordered, "not run"] and state["sort"] == "ascending"
    assert state["down"] == [*ordered[::-1], "not run"]
    assert state["names"] == sorted(state["names"], key=str.lower)
    assert state["copy"] == "Copy"
    assert set(state["loaded"]) <= {"figure.svg"} and not state["wide"] and state["unnamed"] == 0
    assert not console


def driven(page: Path, drive: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Open a page, use it as a script says, and return what that found and what the console said."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser on this machine ({', '.join(BROWSERS)})")
    text = page.read_text().replace("</body>", f"{FOUND.replace('DRIVE', drive)}</body>")
    (folder / "driven.html").write_text(text, encoding="utf-8")
    for svg in page.parent.glob("*.svg"):
        shutil.copy(svg, folder)
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


def test_the_site_without_results_says_so(tmp_path: Path) -> None:
    text = render_site(tmp_path).read_text(encoding="utf-8")
    assert re.search(r" 0 of \d+ have results", text) and "How to read" not in text
    check_links({tmp_path / PAGE: text})


def test_results_of_an_earlier_harness_are_left_out_and_named(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = shutil.copytree(root, tmp_path / "before")
    path = before / "scratch/simans/table-2/cells.json"
    cells = json.loads(path.read_text())
    del cells["columns"]
    path.write_text(json.dumps(cells))
    page = render_site(before).read_text()
    assert "scratch/simans/table-2" not in page and "scratch/trisampler/table-5" in page
    assert (
        "omitted from the page" in caplog.text
        and "harness reproduce simans/table-2 --scale scratch" in caplog.text
    )
    check_links(site_texts(before))
    with pytest.raises(UserError, match=r"simans/table-2/cells.json: results of another version"):
        render(path.parent)


def test_tables_of_ones_own_stand_without_what_is_not_made(root: Path, tmp_path: Path) -> None:
    own = shutil.copytree(root / "scratch", tmp_path / "scratch")
    for path in own.glob("*/*/cells.json"):
        cells = json.loads(path.read_text())
        told = {
            "own": {"options": " --collection beir:mine", "place": "own/mine-0"},
            "verdict": "your own table",
        }
        path.write_text(json.dumps(cells | told))
        read_cells(path)
    text = render_site(tmp_path).read_text()
    assert "3 of 3 have results" in text and "not made yet" not in text and "AR2" not in text


@pytest.mark.parametrize(
    "names",
    [
        ["Uniform", "uniform", "UNIFORM"],
        ["a b", "a-b", "a/b", "a b-2", "a-b-2"],
        ["中", "", '"><script>', "x" * 300],
    ],
)
def test_anchors_are_distinct_and_plain(names: list[str]) -> None:
    anchors = distinct_anchors("runs", names)
    assert list(anchors) == names and len(set(anchors.values())) == len(names)
    assert all(re.fullmatch(r"runs[a-z0-9-]*", anchor) for anchor in anchors.values())


@pytest.mark.parametrize("place", ["tuning/stray", "tuning/stray/confirmation", "nobody/table-1"])
def test_results_in_a_place_of_nobody_break_nothing(root: Path, tmp_path: Path, place: str) -> None:
    shutil.copytree(root / "scratch/simans/table-2", tmp_path / "scratch" / place)
    shutil.copytree(root / "scratch/trisampler", tmp_path / "scratch/trisampler")
    pages = site_texts(tmp_path)
    assert tmp_path / "scratch" / place / REPORT in pages
    assert "scratch/trisampler/table-5/table.html" in pages[tmp_path / PAGE]
    check_links(pages)


@pytest.mark.parametrize("name", ["100 %", "a#b?c", "a'b\"c<i>", "中 \udce4"])
def test_a_folder_of_any_name_is_led_to(root: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(root / "scratch/simans/table-2", tmp_path / "scratch/simans" / name)
    pages = site_texts(tmp_path)
    addresses = Links(pages[tmp_path / PAGE]).targets
    (address,) = (each for each in addresses if each.startswith("scratch"))
    assert (tmp_path / unquote(address, errors="surrogateescape")).exists()
    assert "<i>" not in pages[tmp_path / PAGE]
