"""Verdicts on a reproduced table, by rules that are written once as code and once as prose.

A verdict concerns the primary column. The first rule that applies decides, among those for a row and among
those for a table; the last one always applies. `docs/statistics.md` shows `rules_text()`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

PIPELINE_SCALES = ("simulation", "scratch", "quick")
"""Scales that allow no conclusion about a paper."""

REPRODUCED, PARTLY, NOT = "reproduced", "partly", "not"
SMALLER, LARGER = "smaller than published", "larger than published"
INCONCLUSIVE, PIPELINE, UNJUDGED = "inconclusive", "pipeline check", "not judged"

Subject = TypeVar("Subject")
Range = tuple[float, float]


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """A verdict and its condition.

    Attributes:
        word: the verdict, as written in `cells.json`.
        because: the condition as prose, which is also the printed reason.
        applies: the condition as a predicate.
    """

    word: str
    because: str
    applies: Callable[[Subject], bool]

    def verdict(self, more: str = "") -> dict[str, str]:
        """Return verdict and reason for `cells.json`."""
        return {"word": self.word, "reason": f"{self.because}{more}"}


@dataclass(frozen=True)
class RowEvidence:
    """The evidence on a row's difference from the baseline in the primary column.

    Attributes:
        pipeline: whether the table is a pipeline check.
        published: range of the published difference implied by rounding; None if the paper prints none.
        value: the reproduced difference, a fraction; None if there is none.
        method: ends of the method's interval; None with one seed.
        significant: whether the difference is significant after Holm's correction.
        detectable: smallest detectable difference; None if nothing was tested.
    """

    pipeline: bool
    published: Range | None
    value: float | None
    method: Range | None
    significant: bool
    detectable: float | None

    @property
    def sign(self) -> int:
        """Sign of the published difference; 0 if its rounding admits 0."""
        low, high = self.published or (0.0, 0.0)
        return (low > 0) - (high < 0)

    @property
    def meets(self) -> bool:
        """Whether the method's interval overlaps the range of the published difference."""
        if self.method is None or self.published is None:
            return False
        return self.method[0] <= self.published[1] and self.published[0] <= self.method[1]

    @property
    def smaller(self) -> bool:
        """Whether the method's interval lies between 0 and the range of the published difference."""
        if self.method is None or self.published is None:
            return False
        (low, high), (least, most) = self.method, self.published
        return 0 < low <= high < least or most < low <= high < 0

    @property
    def larger(self) -> bool:
        """Whether the method's interval lies beyond the range of the published difference, seen from 0."""
        if self.method is None or self.published is None:
            return False
        (low, high), (least, most) = self.method, self.published
        return low > most >= least > 0 or high < least <= most < 0

    @property
    def within(self) -> bool:
        """Whether the method's interval lies within the range of the published difference."""
        if self.method is None or self.published is None:
            return False
        return self.published[0] <= self.method[0] and self.method[1] <= self.published[1]

    @property
    def significant_sign(self) -> int:
        """Sign of the reproduced difference if it is significant, else 0."""
        if not self.significant or self.value is None:
            return 0
        return (self.value > 0) - (self.value < 0)

    @property
    def undetectable(self) -> bool:
        """Whether the published difference, at its smallest, is below the smallest detectable difference."""
        if self.published is None or self.detectable is None:
            return True
        return self.detectable > min(abs(end) for end in self.published)


ROW_RULES: tuple[Rule[RowEvidence], ...] = (
    Rule(
        PIPELINE,
        "the scale is simulation, scratch or quick, or another collection stands in for the paper's: "
        "that shows that the path works and is no evidence about the paper",
        lambda row: row.pipeline,
    ),
    Rule(
        UNJUDGED,
        "the paper prints no difference between this row and the baseline in the primary measure",
        lambda row: row.published is None,
    ),
    Rule(
        UNJUDGED,
        "there is no reproduced difference: the row or the baseline failed, was not run or is unavailable",
        lambda row: row.value is None,
    ),
    Rule(
        INCONCLUSIVE,
        "one seed tells nothing about the method",
        lambda row: row.method is None,
    ),
    Rule(
        REPRODUCED,
        "the published difference is 0 within its rounding, and the interval of the method lies within that "
        "rounding",
        lambda row: row.sign == 0 and row.within,
    ),
    Rule(
        NOT,
        "the published difference is 0 within its rounding, but a difference was found, and the interval of "
        "the method lies outside that rounding",
        lambda row: row.sign == 0 and row.significant and not row.meets,
    ),
    Rule(
        INCONCLUSIVE,
        "the published difference is 0 within its rounding, and the interval of the method reaches beyond "
        "that rounding",
        lambda row: row.sign == 0,
    ),
    Rule(
        REPRODUCED,
        "a difference was found in the published direction, and the interval of the method meets the "
        "published one",
        lambda row: row.significant_sign == row.sign and row.meets,
    ),
    Rule(
        SMALLER,
        "the interval of the method lies between 0 and the published difference",
        lambda row: row.smaller,
    ),
    Rule(
        LARGER,
        "the interval of the method lies beyond the published difference, in its direction",
        lambda row: row.larger,
    ),
    Rule(
        NOT,
        "a difference was found in the other direction",
        lambda row: row.significant_sign == -row.sign,
    ),
    Rule(
        INCONCLUSIVE,
        "no difference was found, and the smallest that could have been is larger than the published one",
        lambda row: row.undetectable,
    ),
    Rule(
        INCONCLUSIVE,
        "no difference was found, but the interval of the method meets the published one",
        lambda row: row.meets,
    ),
    Rule(
        NOT,
        "no difference was found, though one as large as the published one would have been, and the interval "
        "of the method leaves it out",
        lambda row: True,
    ),
)


@dataclass(frozen=True)
class TableEvidence:
    """The verdicts on the rows of a table.

    Attributes:
        pipeline: whether the table is a pipeline check.
        words: verdicts on the rows for which the paper prints a difference.
    """

    pipeline: bool
    words: tuple[str, ...]


TABLE_RULES: tuple[Rule[TableEvidence], ...] = (
    Rule(PIPELINE, ROW_RULES[0].because, lambda table: table.pipeline),
    Rule(
        UNJUDGED,
        "of no row both a published and a reproduced difference are known in the primary measure",
        lambda table: set(table.words) <= {UNJUDGED},
    ),
    Rule(
        REPRODUCED,
        "every row with a published difference is reproduced",
        lambda table: set(table.words) == {REPRODUCED},
    ),
    Rule(
        PARTLY,
        "some rows with a published difference are reproduced, or have its direction and not its size, and "
        "not all are reproduced",
        lambda table: bool({REPRODUCED, SMALLER, LARGER} & set(table.words)),
    ),
    Rule(
        NOT,
        "no row is reproduced, and at least one is contradicted",
        lambda table: NOT in table.words,
    ),
    Rule(
        INCONCLUSIVE,
        "no row is reproduced, and none is contradicted",
        lambda table: True,
    ),
)


def judge_row(row: RowEvidence) -> dict[str, str]:
    """Return the verdict on a row, ``{"word", "reason"}``."""
    return next(rule for rule in ROW_RULES if rule.applies(row)).verdict()


def judge_table(table: TableEvidence) -> dict[str, str]:
    """Return the verdict on a table, ``{"word", "reason"}``; the reason counts the rows' verdicts."""
    counts = Counter(table.words)
    counted = ", ".join(f"{counts[word]} {word}" for word in sorted(counts))
    rule = next(rule for rule in TABLE_RULES if rule.applies(table))
    return rule.verdict(f" ({counted})" if counted and not table.pipeline else "")


def judge(
    differences: Mapping[str, Mapping[str, Any] | None], *, level: float, scale: str, stand_in: str | None
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return the verdicts on the compared rows and the verdict on the table.

    Args:
        differences: compared row -> its ``difference`` block in the primary column; None if there is neither
            a published nor a reproduced difference.
        level: confidence level of the table, in (0, 1).
        scale: name of the scale.
        stand_in: a sentence on the collection that replaces the paper's; None if it is the paper's own.
    """
    pipeline = scale in PIPELINE_SCALES or stand_in is not None
    rows = {name: _evidence(block or {}, level, pipeline) for name, block in differences.items()}
    verdicts = {name: judge_row(row) for name, row in rows.items()}
    due = tuple(verdicts[name]["word"] for name, row in rows.items() if row.published is not None)
    return verdicts, judge_table(TableEvidence(pipeline, due))


def rules_text() -> str:
    """Return the rules as two Markdown lists."""
    lists: list[Sequence[Rule[Any]]] = [ROW_RULES, TABLE_RULES]
    texts = [
        "\n".join(f"{place}. **{rule.word}**: {rule.because}" for place, rule in enumerate(rules, 1))
        for rules in lists
    ]
    return f"A row:\n\n{texts[0]}\n\nA table:\n\n{texts[1]}"


def _evidence(block: Mapping[str, Any], level: float, pipeline: bool) -> RowEvidence:
    p_value = block.get("holm_p")
    return RowEvidence(
        pipeline=pipeline,
        published=_ends(block.get("published")),
        value=block.get("value"),
        method=_ends(block.get("method")),
        significant=p_value is not None and p_value <= 1 - level,
        detectable=block.get("detectable"),
    )


def _ends(interval: Mapping[str, Any] | None) -> Range | None:
    return None if interval is None else (interval["low"], interval["high"])
