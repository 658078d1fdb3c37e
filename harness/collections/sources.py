"""Where public datasets come from and under which licence, as far as their authors say it."""

from __future__ import annotations

import re
from typing import NamedTuple


class Source(NamedTuple):
    """Where a dataset comes from.

    Attributes:
        licence: in words; what it allows is for its reader to decide.
        address: of its authors.
    """

    licence: str
    address: str


_MSMARCO = Source("non-commercial research, by the terms of Microsoft", "https://microsoft.github.io/msmarco")
_NQ = Source("CC BY-SA 3.0; DPR's files CC BY-NC 4.0", "https://github.com/facebookresearch/DPR")
_TQA = Source(
    "questions for research, texts of their owners; DPR's files CC BY-NC 4.0",
    "https://nlp.cs.washington.edu/triviaqa",
)

SOURCES = {
    "ms-pas": _MSMARCO,
    "msmarco": _MSMARCO,
    "msmarco-passage": _MSMARCO,
    "ms-doc": _MSMARCO,
    "msmarco-document": _MSMARCO,
    "nq": _NQ,
    "natural-questions": _NQ,
    "tqa": _TQA,
    "trivia": _TQA,
    "trivia-qa": _TQA,
    "webquestions": Source("CC BY 4.0", "https://nlp.stanford.edu/software/sempre"),
    "scifact": Source(
        "claims and evidence CC BY 4.0, abstracts ODC-By 1.0", "https://github.com/allenai/scifact"
    ),
    "nfcorpus": Source("academic use", "https://www.cl.uni-heidelberg.de/statnlpgroup/nfcorpus"),
    "squad": Source("CC BY-SA 4.0", "https://rajpurkar.github.io/SQuAD-explorer"),
}
"""Name of a dataset -> its source."""


def source_of(name: str) -> Source | None:
    """Return the source of a collection by its name, such as ``scifact`` or ``beir/scifact/test``."""
    parts = [part.casefold().replace("_", "-") for part in name.split("/")]
    return next((SOURCES[part] for part in reversed(parts) if part in SOURCES), None)


def is_named(collection: str, dataset: str) -> bool:
    """Whether a collection has the name of a dataset, but for case and signs, as trivia-qa has TriviaQA's."""
    one, other = (
        re.sub(r"\W|_", "", name.casefold()) for name in (collection.rsplit("/", maxsplit=1)[-1], dataset)
    )
    return one == other
