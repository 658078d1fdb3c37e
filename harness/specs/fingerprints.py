"""Fingerprints, chained by content: collection -> tokens -> base -> candidates of round 0 -> run.

A checkpoint that is evaluated stands on its tokens alone, BM25 on the collection.

Each hashes its own settings and the link it stands on; never a device, a number of ranks or an address. A
version is bumped when the meaning of a stage changes, and then everything that stands on it is made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.encoders.frozen import FROZEN, UNCHANGED_BY, Stated
from harness.pieces import by_content
from harness.specs.checkpoint_content import by_start, start_content
from harness.specs.run_settings import EvaluatedRun, RankerRun, RunSettings, StartedRun, TaughtRun, TrainedRun
from harness.specs.settings import LateInteractionSettings
from harness.storage.files import content_hash

VERSION = {
    "tokens": 1,
    "states": 1,
    "base": 2,
    "candidates": 2,
    "ranker": 2,
    "run": 3,
    "bm25": 1,
    "evaluated": 1,
}

RUNS = ("base", "ranker", "run")
"""Stages whose product is the folder of a run."""

TRAINED_BY = {stage: VERSION[stage] for stage in RUNS}
"""Stage of a run -> the version that trains it."""

STAGES = {"base": "base", "continued": "run", "ranker": "ranker"}
"""Kind of a run that is trained -> its stage."""


@dataclass(frozen=True)
class Chain:
    """Fingerprints of a training run and of what it depends on.

    Attributes:
        links: (stage, fingerprint), from the tokens to the run itself; BM25 alone stands on the collection.
        start: fingerprint of the run that it continues.
    """

    links: tuple[tuple[str, str], ...]
    start: str | None = None

    @property
    def tokens(self) -> str:
        """Fingerprint of the tokens, of all but BM25."""
        return self.links[0][1]

    @property
    def candidates(self) -> str | None:
        """Fingerprint of its candidates of round 0."""
        stage, fingerprint = self.links[-2] if len(self.links) > 1 else self.links[-1]
        return fingerprint if stage == "candidates" else None

    @property
    def last(self) -> str:
        """Fingerprint of the training run itself."""
        return self.links[-1][1]

    @property
    def runs_below(self) -> list[tuple[str, str]]:
        """(stage, fingerprint) of the runs that it depends on: base runs, rankers, what it continues."""
        return [link for link in dict.fromkeys(self.links[:-1]) if link[0] in RUNS]

    def needs(self) -> list[str]:
        """Return the fingerprints that the run stands on."""
        return list(dict.fromkeys(fingerprint for _, fingerprint in self.links[:-1]))


@dataclass(frozen=True)
class Link:
    """One link of a chain before it is hashed.

    Attributes:
        stage: what it is of; a key of `VERSION`.
        version: of the stage.
        stands_on: fingerprint of the link before it, or of the collection.
        parts: key -> value, all that the stage depends on beside that; the order counts.
    """

    stage: str
    version: int
    stands_on: str
    parts: dict[str, Any]

    @cached_property
    def fingerprint(self) -> str:
        """Return the hash of all this; the names of the parts are no part of it."""
        return content_hash(self.stage, self.version, self.stands_on, *self.parts.values())


def chain(settings: RunSettings, collection: str, versions: Mapping[str, int] = VERSION) -> Chain:
    """Return the fingerprints of a run.

    Args:
        settings: resolved settings.
        collection: fingerprint of the collection's content.
        versions: of the stages.
    """
    return chain_of(links(settings, collection, versions))


def chain_of(run_links: Sequence[Link]) -> Chain:
    """Return the fingerprints of the links of a run."""
    named = {link.fingerprint: link for link in run_links}
    below = named.get(run_links[-1].stands_on)
    if below is not None and below.stage == "candidates":
        below = named.get(below.stands_on)
    start = below.fingerprint if below is not None and below.stage in RUNS else None
    return Chain(tuple((link.stage, link.fingerprint) for link in run_links), start)


def links(settings: RunSettings, collection: str, versions: Mapping[str, int] = VERSION) -> list[Link]:
    """Return the links of a run in order, each with the keys that it depends on.

    Args:
        settings: resolved settings.
        collection: fingerprint of the collection's content.
        versions: of the stages.
    """
    if isinstance(settings, EvaluatedRun):
        return _of_checkpoint(settings, collection, versions)
    if not isinstance(settings, TrainedRun):
        return [Link("bm25", versions["bm25"], collection, {})]
    fresh: dict[str, Any] = {}
    if isinstance(settings, StartedRun):
        run_links = links(settings.start, collection, versions)
    else:
        fresh = {"encoder": by_start(settings.encoder.model_dump())}
        tokens = {
            "tokens": settings.tokens.model_dump(),
            "encoder.start": start_content(settings.encoder.start),
        }
        run_links = [Link("tokens", versions["tokens"], collection, tokens)]

    below, seed, sampler = run_links[-1].fingerprint, settings.seed, settings.sampler
    drawn = by_content(sampler.model_dump(exclude={"preset"}))
    frozen = _states(settings, run_links[0].fingerprint, collection, versions)
    run_links += [frozen] if frozen is not None and frozen not in run_links else []
    parts = {**fresh, "sampler": drawn, "phase": settings.phase.model_dump(), "seed": seed}
    if isinstance(settings, TaughtRun):
        of_teacher = links(settings.teacher, collection, versions)
        run_links += [link for link in of_teacher if link not in run_links]
        co_training = settings.co_training.model_dump(exclude_none=True)
        parts |= {"teacher": of_teacher[-1].fingerprint, "co_training": co_training}
    if isinstance(settings, RankerRun):
        own = settings.ranker.model_dump()
        parts |= {"ranker": by_start(own) if "start" in own else own}
    if sampler.source is not None:
        mined = {f"sampler.{key}": drawn[key] for key in ("source", "candidates", "mask")}
        mined |= {**fresh, "seed": seed} if fresh else {}
        run_links.append(Link("candidates", versions["candidates"], below, mined))
        below = run_links[-1].fingerprint
    stage = STAGES[settings.kind]
    return [*run_links, Link(stage, versions[stage], below, parts)]


def settings_key(settings: RunSettings) -> str:
    """Return a name for a run whose collection is not here; of equal settings it is the same.

    Args:
        settings: resolved settings; what is measured, and names, are left out as they are of fingerprints.
    """
    own = settings.model_dump(mode="json", exclude={"recipe", "phase_name", "measures", *settings.below})
    if "sampler" in own:
        del own["sampler"]["preset"]
    return content_hash(own, {name: settings_key(below) for name, below in settings.below.items()})


def states_fingerprint(settings: TrainedRun, collection: str) -> str | None:
    """Return the fingerprint of the states that a run is trained over; none where nothing is frozen."""
    tokens = links(settings, collection)[0].fingerprint
    link = _states(settings, tokens, collection, VERSION)
    return None if link is None else link.fingerprint


def states_read(settings: TrainedRun) -> Stated | None:
    """Return which states of a frozen encoder a run reads: its ranker, or the part that it trains."""
    if isinstance(settings, RankerRun):
        return "late-interaction" if isinstance(settings.ranker, LateInteractionSettings) else None
    return next((kind for kind in FROZEN if kind == settings.phase.trains), None)


def frozen_is_untrained(settings: TrainedRun) -> bool:
    """Whether no run has trained what is frozen in a run, so that its states are of the texts alone."""
    return not isinstance(_last_to_change(settings, states_read(settings) or ""), StartedRun)


def _states(settings: TrainedRun, tokens: str, collection: str, versions: Mapping[str, int]) -> Link | None:
    """Return the link of a run's states, which stand on the last run that changed what is frozen."""
    trains = states_read(settings)
    if trains is None:
        return None
    frozen = _last_to_change(settings, trains)
    if isinstance(frozen, StartedRun):
        below = links(frozen.start, collection, versions)[-1].fingerprint
        return Link("states", versions["states"], below, {"trains": trains})
    fresh = {"seed": frozen.seed} if frozen.encoder.start == "fresh" else {}
    parts = {"encoder": by_start(frozen.encoder.model_dump()), **fresh, "trains": trains}
    return Link("states", versions["states"], tokens, parts)


def _last_to_change(settings: TrainedRun, trains: str) -> TrainedRun:
    """Return the run whose start has the frozen weights that a run has."""
    while isinstance(settings, StartedRun):
        of = settings.start.phase
        if of.steps and of.trains not in UNCHANGED_BY[trains]:
            return settings
        settings = settings.start
    return settings


def _of_checkpoint(settings: EvaluatedRun, collection: str, versions: Mapping[str, int]) -> list[Link]:
    """Return the links of a checkpoint that is evaluated: tokens by its own tokenizer, and itself."""
    content = by_start(settings.checkpoint.model_dump())
    parts = {"tokens": settings.tokens.model_dump(), "encoder.start": content["start"]}
    tokens = Link("tokens", versions["tokens"], collection, parts)
    return [
        tokens,
        Link("evaluated", versions["evaluated"], tokens.fingerprint, {"checkpoint": content}),
    ]
