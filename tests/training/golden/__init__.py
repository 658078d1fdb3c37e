"""Golden runs: each phase of the shipped recipes trained for a few steps in float64, its figures committed.

What training does may change only together with the number of its stage in `VERSION`
(`harness/specs/fingerprints.py`): else old runs in a store would pass for new ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from harness.encoders.ranker import Ranker
from harness.negatives.presets import presets
from harness.pieces import make_piece
from harness.specs.fingerprints import VERSION
from harness.specs.library import Library
from harness.specs.recipe import Phase, phases_of
from harness.storage.files import content_hash
from harness.training.losses.registry import make_loss
from harness.training.phase_inputs import RankerInTraining
from harness.training.turns import TURNS, RankerAlone

PAIR_TOKENS = 40

FOLDER = Path(__file__).parent
SHIPPED = Library(FOLDER.parents[2] / "experiments")
STEPS = 6
CLOSE = 1e-9

BELOW = ("tokens", "base")


def phases() -> dict[str, Phase]:
    """Return the phases of the shipped recipes that can be trained, by ``<recipe>.<phase>``."""
    shipped = phases_of({name: SHIPPED.recipe(name) for name in SHIPPED.names("recipes")})
    return {name.replace("/", "."): phase for name, phase in sorted(shipped.items()) if _trained(phase)}


def _trained(phase: Phase) -> bool:
    """Whether a phase has steps, and the trainer all its parts; `harness.runs.missing` names the others."""
    ranker = phase.ranker
    untrained = phase.steps == 0 or (ranker is not None and (ranker.denoises or ranker.labels))
    return phase.trains in ("both-towers", "ranker") and not untrained


def versions_of(name: str) -> dict[str, int]:
    """Return the versions that a phase's golden run stands for."""
    phase = phases()[name]
    drawn = ("candidates",) if draws(phase) else ()
    ranker = ("ranker",) if phase.trains == "ranker" or phase.ranker is not None else ()
    run = ("run",) if isinstance(phase.start, str) and phase.trains != "ranker" else ()
    return {stage: VERSION[stage] for stage in (*BELOW, *drawn, *ranker, *run)}


def golden_run(bench: Any, folder: Path, name: str) -> dict[str, Any]:
    """Train a phase on the tiny bench, one thread, in float64.

    Returns:
        ``tokens``, a hash of the token ids; ``losses`` after each step; ``known_relevant_drawn``;
        ``weights``, the norm of each tensor at the end.
    """
    phase = phases()[name]
    drawn = draws(phase)
    encoder = bench.encoder(seed=5).double()
    part = ranker_part(phase, bench.ranker(encoder, seed=6).double())
    trainer = bench.trainer(
        folder,
        encoder,
        law=None,
        preset=presets()["trisampler"] if drawn else None,
        steps=STEPS,
        refresh=STEPS // 2 if drawn and phase.trains != "ranker" else None,
        loss=make_loss(phase.loss),
        ranker=part,
        **rates(phase),
    )
    trainer.run()
    lines = [line for line in trainer.writer.metrics() if "loss" in line]
    weights = encoder.weights()
    if part is not None:
        weights |= {f"ranker.{key}": value for key, value in part.ranker.weights().items()}
    norms = {key: float(torch.linalg.vector_norm(value)) for key, value in sorted(weights.items())}
    return {
        "tokens": content_hash(
            bench.tokens.documents.flat.tolist(), bench.tokens.queries["train"].flat.tolist()
        ),
        "losses": [line["loss"] for line in lines],
        "known_relevant_drawn": sum(line.get("known_relevant_drawn", 0.0) for line in lines),
        "weights": norms,
    }


def draws(phase: Phase) -> bool:
    """Whether a phase trains on negatives that are drawn from candidates."""
    return phase.own is None or phase.own.sampler.draws


def rates(of: Any) -> dict[str, float]:
    """Return what an optimizer and its schedule are set to, beside the learning rate."""
    return {
        "weight_decay": of.optimizer.weight_decay,
        "clip_norm": of.optimizer.clip_norm,
        "lr_warmup_share": of.schedule.lr_warmup_share,
    }


def ranker_part(phase: Phase, ranker: Ranker) -> RankerInTraining | None:
    """Return how a ranker takes part in a phase; none where there is none."""
    if phase.trains == "ranker":
        own = SimpleNamespace(learning_rate=1e-3, **rates(phase))
        return RankerInTraining(ranker, PAIR_TOKENS, RankerAlone(), own, make_loss(phase.loss))
    if phase.ranker is None:
        return None
    own = SimpleNamespace(learning_rate=1e-3, **rates(phase.ranker)) if phase.ranker.learns else None
    turns = make_piece("turns", TURNS, phase.ranker.turns_on("nq", as_published=False))
    return RankerInTraining(ranker, PAIR_TOKENS, turns, own, make_loss(phase.ranker.loss))


def path_of(name: str) -> Path:
    """Return the committed file of a phase."""
    return FOLDER / f"{name}.json"


def committed(name: str) -> dict[str, Any]:
    """Return the committed figures of a phase, with the versions that they were made under."""
    return dict(json.loads(path_of(name).read_text(encoding="utf-8")))


def verdict(name: str, made: dict[str, Any], golden: dict[str, Any], versions: dict[str, int]) -> str:
    """Return what is wrong with a run beside its golden one, empty where it is the same.

    Args:
        name: of the phase.
        made: what `golden_run` returned.
        golden: the content of the committed file.
        versions: those of the code.
    """
    write = "python -m tests.training.golden --write"
    if golden["versions"] != versions:
        return f"{name}: versions are {versions}, the golden run has {golden['versions']}; {write}"
    figures = {key: value for key, value in golden.items() if key != "versions"}
    if made["tokens"] != figures["tokens"]:
        return (
            f"{name}: tokens differ; install the pinned `tokenizers`, or bump VERSION['tokens'] and {write}"
        )
    changed = [key for key in figures if not close(made[key], figures[key])]
    if changed:
        bump = " or ".join(repr(stage) for stage in versions if stage != "tokens")
        return f"{name}: {', '.join(changed)} changed; undo that, or bump VERSION of {bump} and {write}"
    return ""


def close(made: Any, golden: Any) -> bool:
    """Tell whether figures are the same to `CLOSE`."""
    if isinstance(golden, dict):
        return made.keys() == golden.keys() and all(close(made[key], golden[key]) for key in golden)
    if isinstance(golden, list):
        return len(made) == len(golden) and all(map(close, made, golden))
    return abs(made - golden) <= CLOSE if isinstance(golden, float) else made == golden
