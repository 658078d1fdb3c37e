"""Plans of a ranker over the frozen states of its retriever: its parameters, what steps keep, its states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.late_interaction import TokenStates, late_interaction_over
from harness.estimate.memory import memory
from harness.estimate.moments import Machine
from harness.estimate.parameters import late_interaction_parameters
from harness.estimate.render import states_line
from harness.estimate.states import states_size
from harness.retrieval.states import build_states
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import RankerRun, TaughtRun
from harness.specs.settings import EncoderSettings, LateInteractionSettings
from tests.place import CHECKOUT

from .test_frozen import CORPUS, LONGEST, SETTINGS, TOKENS, WIDTH, kept_by, run_of, texts, tower


def taught() -> TaughtRun:
    """A run of the simulation beside a late interaction, which trains too."""
    resolved = resolve(Library(CHECKOUT / "experiments"), "trisampler/table-5-ar2", "simulation")
    run = resolved.run(resolved.loaded.row("TriSampler"), 0)
    assert isinstance(run, TaughtRun) and isinstance(run.teacher, RankerRun)
    sizes = {"encoder": EncoderSettings(**SETTINGS), "tokens": TOKENS, "start": run_of("both-towers").start}
    teacher = run.teacher.model_copy(update={**sizes, "ranker": LateInteractionSettings()})
    return run.model_copy(update={**sizes, "teacher": teacher})


def ranker_run() -> RankerRun:
    return taught().own_ranker


def test_its_parameters_are_counted() -> None:
    ranker = late_interaction_over(DualEncoder(tower(normalised=True), tower(normalised=True)))
    assert late_interaction_parameters(WIDTH) == sum(weight.numel() for weight in ranker.parameters())


def test_its_step_keeps_what_is_planned() -> None:
    run, ranker = (
        ranker_run(),
        late_interaction_over(DualEncoder(tower(normalised=True), tower(normalised=True))),
    )
    queries, each = run.phase.batch, 1 + run.sampler.draws[1]
    query, passage = (
        (torch.randn(count, length, WIDTH).half(), torch.ones(count, length, dtype=torch.int64))
        for count, length in ((queries, TOKENS.query_tokens), (queries * each, LONGEST))
    )
    whose = torch.arange(queries).repeat_interleave(each)
    kept = kept_by(lambda: ranker(*query, whose, *passage), ranker)
    parts = {part.name: part.size for part in next(iter(memory(run, CORPUS, Machine())[1:])).working}
    assert kept <= parts["activations: pairs"] <= 1.1 * kept


def test_moments_are_the_ranker_s_and_states_come_first() -> None:
    moments = {moment.name: moment for moment in memory(taught(), CORPUS, Machine())}
    assert list(moments)[:2] == ["states, once", "ranker alone"]
    models = {part.name: part.size for part in moments["ranker alone"].models}
    assert models["ranker: gradients"] == 4 * late_interaction_parameters(WIDTH)
    assert "teacher's forward" in [part.name for part in moments["retriever's step"].working]


@pytest.mark.parametrize("lengths", [(8, LONGEST), (8, 5)])
def test_states_on_disk_are_at_most_as_large_as_planned(lengths: tuple[int, int], tmp_path: Path) -> None:
    of_query, of_passage = lengths
    queries = {"train": texts(5, of_query), "dev": texts(4, of_query)}
    idf = np.ones(50, dtype=np.float32)
    tokens = TokenStore(texts(6, of_passage), queries, idf, tmp_path, vocabulary=50, pad=0)
    reader = TokenStates(DualEncoder(tower(), tower()))
    build_states(reader, tokens, tmp_path / "states", lambda done: None)
    stored = sum(np.load(path).nbytes for path in (tmp_path / "states").glob("*.npy"))
    size = states_size(ranker_run(), CORPUS, {})
    assert (size.size == stored) == (of_passage == LONGEST) and size.size >= stored and size.at_most
    said = states_line(ranker_run(), CORPUS, {}, 1, 0)
    assert said.startswith(
        "Frozen encoder below a late interaction: 6 documents and 9 queries are encoded once"
    )
    assert f"{WIDTH} x 2 bytes a token" in said
