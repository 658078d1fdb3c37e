"""What a reader finds in the report of a specification curve."""

from __future__ import annotations

import copy
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sample import typed
from sample_readings import sample_readings

from harness.evaluation.readings import distinct_pairs, summarise_readings
from harness.reports.kinds import REPORTS, document_of
from harness.reports.renderers.markdown import render_markdown
from harness.reports.renderers.terminal import render_terminal

REPORT = REPORTS["readings"]


@pytest.fixture(scope="module")
def curve() -> dict[str, Any]:
    """As it lies on disk."""
    return json.loads(json.dumps(sample_readings(), sort_keys=True))


@pytest.fixture(scope="module")
def short() -> dict[str, Any]:
    """Six readings, one seed."""
    return sample_readings(1, few=True)


def section_of(text: str, title: str) -> list[list[str]]:
    """Lines of the table below a title, as fields, without the header."""
    below = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in below.splitlines() if line.startswith("|")]
    return [[field.strip() for field in line.strip("|").split("|")] for line in lines][2:]


def test_shares_come_first_with_their_denominators(curve: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(curve)))
    assert text.split("\n\n")[1].startswith("Simulation. ")
    assert text.split("\n\n")[3] == "## TriSampler minus the other rows"
    for line, summary in zip(
        section_of(text, "TriSampler minus the other rows"), curve["summary"], strict=True
    ):
        share = f"{100 * summary['above'] / summary['pairs']:.0f} %"
        assert line[1] == f"{summary['above']} of {summary['pairs']} ({share})"
        assert line[2].startswith(f"{summary['interval_above']} of {summary['pairs']} ")
        assert line[3].startswith(f"{summary['interval_below']} of {summary['pairs']} ")
        assert line[4] == f"{100 * summary['median']:+.1f}"
    assert "95 % CI over queries and seeds above 0" in text


def test_runs_are_counted_once_and_stand_for_what_was_written(curve: dict[str, Any]) -> None:
    """Two readings of the focus are one run: its pairs are of both, and say so."""
    changed = copy.deepcopy(curve)
    names = [of["name"] for of in changed["readings"]]
    changed["readings"][1]["same_as"] = names[0]
    first = {name: names[0] if name == names[1] else name for name in names}
    changed["pairs"] = distinct_pairs(curve["pairs"], first)
    changed["summary"] = summarise_readings(changed["pairs"])
    text = render_markdown(document_of(typed(changed)))
    (uniform, _) = changed["summary"]
    assert (uniform["pairs"], uniform["written"]) == (71, 72)
    assert "counted once: 71 pairs of runs with Uniform Sampling for 72 as written" in text
    lines = list(csv.DictReader(io.StringIO(REPORT.csv(typed(changed)))))
    doubled = [line for line in lines if line["written_pairs"] == "2"]
    assert [line["law.gap"] for line in doubled] == ["raw or standardised"]
    assert section_of(text, "MRR@10 of each row")[0][1] == "71"


def test_where_runs_are_not_known_the_counts_are_of_what_was_written(curve: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(curve)))
    assert "Counts are of written combinations" in text and "counted once" not in text


@pytest.mark.parametrize(("seeds", "said"), [(1, "1 seed: too few"), (4, "4 seeds: too few"), (5, None)])
def test_fewer_than_five_seeds_order_no_readings(tmp_path: Path, seeds: int, said: str | None) -> None:
    cells = typed(sample_readings(seeds, few=True))
    text = render_markdown(document_of(cells))
    REPORT.draw(cells, tmp_path / "f.svg", tmp_path / "f.png")
    drawn = (tmp_path / "f.svg").read_text()
    for place in (text, drawn):
        assert ("too few seeds to order readings" in place) == (said is not None)
    assert said is None or said in text


def test_means_by_value_name_how_many_pairs_they_are_over(curve: dict[str, Any]) -> None:
    lines = section_of(render_markdown(document_of(typed(curve))), "Mean difference by value")
    of = next(of for of in curve["by_value"] if of["path"] == "law.transitional")
    first = of["values"][0]
    assert lines[0][:3] == ["transitional", "0.25", f"{100 * first['mean']:+.2f} (of 24)"]
    assert lines[3][:3] == ["transitional", "spread", f"{100 * of['spread']:.2f}"]
    assert ["a", "0.5", "–"] in [line[:3] for line in lines]  # a path that Uniform is not compared under


def test_of_many_pairs_the_ends_are_shown_and_the_csv_has_all(curve: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(curve)))
    lines = section_of(text, "Pairs with SimANS")
    assert len(lines) == 21 and set(lines[10]) == {"…"}
    assert "The 10 lowest and the 10 highest of 144; table.csv has all." in text
    shown = [float(line[6]) for line in lines if line[0] != "…"]
    assert shown == sorted(shown)
    rows = list(csv.DictReader(io.StringIO(REPORT.csv(typed(curve)))))
    assert len(rows) == len(curve["pairs"]) == 72 + 144
    pair = curve["pairs"][-1]
    line = rows[-1]
    assert (float(line["difference"]), float(line["method_low"])) == (pair["value"], pair["method"]["low"])
    assert (line["law.gap"], line["law.a"]) == ("standardised", "1.0")
    assert next(row for row in rows if row["row"] == "Uniform Sampling")["law.a"] == ""


def test_few_pairs_are_all_shown_and_one_seed_says_what_it_is_worth(short: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(short)))
    lines = section_of(text, "Pairs with Uniform Sampling")
    assert len(lines) == 6 and len(lines[0]) == 4
    assert "table.csv" not in text
    assert "95 % CI over queries above 0" in text
    assert "allows no conclusion about the method" in text
    assert REPORT.csv(typed(short)).splitlines()[1].split(",")[-4:-2] == ["", ""]  # no interval of the method


def test_nothing_to_compare_is_said(tmp_path: Path) -> None:
    alone = sample_readings(rows=("TriSampler",), few=True)
    assert "Nothing was compared" in render_markdown(document_of(typed(alone)))
    REPORT.draw(typed(alone), tmp_path / "f.svg", tmp_path / "f.png")
    assert (tmp_path / "f.svg").exists()


def test_console_fits_80_columns(curve: dict[str, Any]) -> None:
    stream = io.StringIO()
    Console(file=stream, width=80).print(render_terminal(document_of(typed(curve))))
    assert max(map(len, stream.getvalue().splitlines())) <= 80
    assert f"{curve['summary'][0]['above']} of 72" in stream.getvalue()
    assert "pipeline check" in stream.getvalue()


def test_the_figure_has_a_panel_a_row_and_the_same_bytes_again(short: dict[str, Any], tmp_path: Path) -> None:
    for name in ("a", "b"):
        again = json.loads(json.dumps(short, sort_keys=True))
        REPORT.draw(typed(again), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    REPORT.draw(typed(short), tmp_path / "c.svg", tmp_path / "c.png")
    text = (tmp_path / "c.svg").read_text(encoding="utf-8")
    for words in ("Simulation. ", "TriSampler minus Uniform Sampling", "TriSampler minus SimANS", "(points)"):
        assert words in text
    for value in ("angle  apex", "gap  standardised", "a  1.0"):
        assert value in text
    summary = short["summary"][0]
    assert f"interval above 0 ({summary['interval_above']})" in text
