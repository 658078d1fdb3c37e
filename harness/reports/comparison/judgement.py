"""The verdicts of a comparison in words, with their reasons, and its reproducibility measures."""

from __future__ import annotations

from harness.reports import footnotes
from harness.reports.comparison.content import ComparedRow, ComparisonCells, RankAgreement, Reproducibility
from harness.reports.text import NOTHING, decimal_text, verdict_text


def verdict_line(cells: ComparisonCells) -> str:
    """Return the table's verdict with its reason; that of a pipeline check includes its meaning."""
    if cells.verdict == "pipeline check" or cells.own is not None:
        return footnotes.verdict(cells)
    return f"Verdict: {verdict_text(cells.verdict)}: {cells.verdict_reason}."


def judgement_lines(cells: ComparisonCells) -> list[str]:
    """Return the lines on rows, then those on reproducibility."""
    return [*row_lines(cells), *reproducibility_lines(cells)]


def row_lines(cells: ComparisonCells) -> list[str]:
    """Return a line for each row with a state or a verdict, with reasons.

    In a pipeline check every row has that verdict, so rows omit it.
    """
    lines = []
    for row in cells.rows:
        parts = state_text(row)
        verdict = row.verdict
        if verdict and cells.verdict != "pipeline check":
            parts = [*parts, f"{verdict_text(verdict.word)}: {verdict.reason}"]
        lines += [f"{row.name}: {'; '.join(parts)}."] if parts else []
    return lines


def state_text(row: ComparedRow) -> list[str]:
    """Return the state of a failed or unavailable row; nothing for other rows."""
    states = {cell.state for cell in row.cells}
    if "failed" in states:
        return [f"failed ({row.reason})"]
    return ["unavailable"] if "unavailable" in states else []


def reproducibility_lines(cells: ComparisonCells) -> list[str]:
    """Return effect ratios, delta relative improvements and rank agreement, or why they are missing."""
    block = cells.reproducibility
    if not block.ranks or cells.own is not None:
        return []
    return [*_effect_lines(cells, block), _rank_line(cells, block)]


def _effect_lines(cells: ComparisonCells, block: Reproducibility) -> list[str]:
    what = "Effect ratio and delta relative improvement"
    if block.not_given:
        return [f"{what}: omitted; {block.not_given}."]
    lines = []
    for label in dict.fromkeys(effect.column for effect in block.effects):
        effects = [effect for effect in block.effects if effect.column == label]
        texts = [f"{e.row} {_number(e.effect_ratio)} and {_number(e.delta_ri, signed=True)}" for e in effects]
        lines.append(f"{what} in {label}, against {cells.baseline}: {'; '.join(texts)}.")
    return lines


def _rank_line(cells: ComparisonCells, block: Reproducibility) -> str:
    worth = ", no evidence about the paper" if cells.verdict == "pipeline check" else ""
    texts = "; ".join(_rank_text(rank) for rank in block.ranks)
    return f"Order of rows, published and reproduced (Kendall's tau-b{worth}): {texts}."


def _rank_text(rank: RankAgreement) -> str:
    if rank.tau is not None:
        return f"{rank.column} {_number(rank.tau, signed=True)} ({rank.rows} rows)"
    why = "too few rows with figures on both sides" if rank.rows < 2 else "one side is all ties"
    return f"{rank.column} undefined, {why} ({rank.rows})"


def _number(value: float | None, *, signed: bool = False) -> str:
    return NOTHING if value is None else decimal_text(value, 2, signed=signed)
