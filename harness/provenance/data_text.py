"""What `harness data` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from harness.provenance.datasets import COUNTS, Dataset


def render_list(kinds: Sequence[Mapping[str, Any]], datasets: Sequence[Dataset]) -> Group:
    """Return the layouts, and the datasets with the counts of each table of a paper."""
    of_kinds = Table("written", "read", "files", box=None, pad_edge=False)
    for kind in kinds:
        of_kinds.add_row(kind["collection"], kind["summary"], kind["files"] or "")
    of_datasets = Table("dataset", "title", box=None, pad_edge=False)
    for count in COUNTS:
        of_datasets.add_column(count, justify="right")
    of_datasets.add_column("counted by")
    of_datasets.add_column("public as")
    for dataset in datasets:
        for counted in dataset.counted:
            numbers = (f"{counted.counts[of]:,}" if of in counted.counts else "-" for of in COUNTS)
            public = f"ir:{dataset.id}" if dataset.id else ""
            of_datasets.add_row(dataset.name, dataset.title, *numbers, counted.citation, public)
    return Group(of_kinds, "", of_datasets)


def dataset_text(dataset: Dataset) -> Iterator[str]:
    """Yield the lines of what the papers say of a dataset, and where it is public."""
    about = dataset.as_json()
    yield f"{dataset.name}: {dataset.title}"
    for counted in dataset.counted:
        counts = (f"{counted.counts[of]:,} {of}" for of in COUNTS if of in counted.counts)
        yield f"{', '.join(counts)}: {counted.citation}"
    yield f"licence: {about['licence'] or 'not known here'}"
    yield f"source: {about['source'] or 'not known here'}"
    if about["collection"]:
        yield f"`harness data show {about['collection']}` downloads and counts it (extra `data`)"


def facts_text(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of what there is to know of a collection."""
    yield f"{facts['name']}, fingerprint {facts['fingerprint']}"
    yield f"documents: {facts['documents']:,}, titles {'on' if facts['titles'] else 'off'}"
    for split, count in facts["queries"].items():
        measured = ", measured" if split == facts["measured"] else ""
        carved = f", {facts['dev']}" if split == "dev" and facts["dev"] != "as given" else ""
        answered = f", {facts['answered'][split]:,} with answers" if facts["answered"][split] else ""
        judged = f"{facts['judgements'][split]:,} judgements"
        yield f"{split}: {count:,} queries, {judged}{answered}{carved}{measured}"
    yield f"dataset of the papers: {facts['dataset'] or 'none'}"
    yield f"licence: {facts['licence'] or 'not known here'}"
    yield f"source: {facts['source'] or 'not known here'}"
    yield from (f"see {place}" for place in facts["read"])
    yield f"prepared: {facts['prepared'] or 'no; `harness data prepare` does it'}"
    yield from (f"dropped: {count:,} {why}" for why, count in facts["dropped"].items())
    yield from facts["account"]
