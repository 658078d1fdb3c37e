"""Fingerprints, chained by content: collection -> tokens -> warm-up -> candidates of round 0 -> run.

Each hashes its own settings and the link it stands on; never a device, a number of ranks or an address. A
version is bumped when the meaning of a stage changes, and then everything that stands on it is made again.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.files import content_hash
from harness.negatives.pieces import by_content
from harness.specs.settings import RunSettings

VERSION = {"tokens": 1, "warm-up": 1, "candidates": 2, "run": 2, "bm25": 1}


@dataclass(frozen=True)
class Chain:
    """The links of one training run; those that it does not have are none."""

    tokens: str
    warm_up: str | None = None
    candidates: str | None = None
    run: str | None = None

    @property
    def last(self) -> str:
        """Fingerprint of the training run itself."""
        found = self.run or self.warm_up
        if found is None:
            raise ValueError("a chain without a run")
        return found

    def needs(self) -> list[str]:
        """Return the fingerprints that the run stands on."""
        return [link for link in (self.tokens, self.warm_up, self.candidates) if link and link != self.last]


def chain(settings: RunSettings, collection: str) -> Chain:
    """Return the fingerprints of a run.

    Args:
        settings: resolved settings.
        collection: fingerprint of the collection's content.
    """
    tokens = _link("tokens", collection, settings.tokens.model_dump(), settings.encoder.start)
    if settings.kind == "bm25":
        return Chain(tokens=tokens, run=_link("bm25", collection))
    warm_up = _link(
        "warm-up", tokens, settings.encoder.model_dump(), settings.warm_up.model_dump(), settings.warm_up_seed
    )
    if settings.continued is None:
        return Chain(tokens=tokens, warm_up=warm_up)
    sampler = settings.sampler
    if sampler is None or settings.continued.negatives == "in-batch":
        run = _link("run", warm_up, None, settings.continued.model_dump(), settings.seed)
        return Chain(tokens=tokens, warm_up=warm_up, run=run)
    drawn = by_content(sampler.model_dump(exclude={"preset"}))
    if sampler.source is None:
        run = _link("run", warm_up, drawn, settings.continued.model_dump(), settings.seed)
        return Chain(tokens=tokens, warm_up=warm_up, run=run)
    candidates = _link("candidates", warm_up, drawn["source"], sampler.candidates, sampler.mask)
    run = _link("run", candidates, drawn, settings.continued.model_dump(), settings.seed)
    return Chain(tokens=tokens, warm_up=warm_up, candidates=candidates, run=run)


def _link(stage: str, *parts: object) -> str:
    return content_hash(stage, VERSION[stage], *parts)
