"""A topology of one's own: once it is registered it trains, resumes, is estimated, checked and documented."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import ClassVar, Literal

import pytest
import torch

from harness.errors import UserError
from harness.estimate.memory import memory
from harness.estimate.moments import CorpusSize, Machine
from harness.methods.catalogue import methods_named
from harness.negatives.presets import presets
from harness.pieces import Piece
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.training.losses.scores import Scores
from harness.training.topologies.own import own_scores
from harness.training.topologies.registry import TOPOLOGIES
from harness.training.topologies.topology import StateSize
from tests.place import CHECKOUT

from .conftest import same

NAME = "centroid"
TABLE = "trisampler/table-5"
TAUGHT = "trisampler/table-5-ar2"


class Centroid(Piece):
    """A query sees its own passages, and the running mean of past positives as one negative more."""

    name: Literal["centroid"] = NAME
    summary: ClassVar[str] = "own drawn negatives and the mean of past positives"
    citation: ClassVar[str] = "this test"
    own_only: ClassVar[bool] = False
    needs_shared_towers: ClassVar[bool] = True

    decay: float = 0.5

    def scorer(self, encoder):
        return RunningMean(torch.zeros(encoder.passage.dimension), self.decay)

    def state_size(self, tower, width):
        return StateSize(width, f"a mean of {width}")


class RunningMean:
    def __init__(self, mean, decay):
        self.mean, self.decay = mean, decay

    def scores(self, batch):
        q, p = batch.queries(), batch.passages()
        own, past = own_scores(q, p), (q @ self.mean)[:, None]
        self.mean = self.mean.lerp(p[:, 0].detach().mean(dim=0), 1 - self.decay)
        return Scores(torch.cat([own.scores, past], dim=1), own.target)

    def state(self):
        return {"mean": self.mean.clone()}

    def load_state(self, state):
        self.mean = state["mean"]


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(TOPOLOGIES, NAME, Centroid)


@pytest.fixture
def library(tmp_path):
    shutil.copytree(CHECKOUT / "experiments", tmp_path / "experiments")
    return Library(tmp_path / "experiments")


def edit(library, file, old, new):
    path = library.root / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("stop", [5, 8])
def test_it_trains_and_resumes_bit_for_bit(bench, tmp_path, stop):
    preset = replace(presets()["uniform"], topology={"name": NAME, "decay": 0.9})

    def trainer(folder, encoder):
        return bench.trainer(tmp_path / folder, encoder, preset=preset, steps=12, refresh=4)

    whole, own = bench.encoder(), bench.encoder()
    trainer("whole", whole).run()
    stopped = trainer("parts", bench.encoder())

    def stop_at(done):
        if done == stop:
            raise KeyboardInterrupt

    stopped.advance = stop_at
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = bench.encoder()
    trainer("parts", resumed).run()
    assert same(whole.weights(), resumed.weights())
    bench.trainer(tmp_path / "own", own, preset=presets()["uniform"], steps=12, refresh=4).run()
    assert not same(whole.weights(), own.weights())


def leave_out_separate_towers(library):
    edit(
        library,
        f"papers/{TABLE}.yaml",
        "scales: [simulation, scratch, quick, paper]",
        "scales: [simulation, scratch]",
    )


def test_the_estimate_counts_what_it_remembers(library):
    edit(
        library,
        f"papers/{TABLE}.yaml",
        "sampler: trisampler",
        f"sampler: {{preset: trisampler, topology: {NAME}}}",
    )
    leave_out_separate_towers(library)
    resolved = resolve(library, TABLE, "scratch")
    run = resolved.run(resolved.loaded.rows("TriSampler")[0], 0)
    assert run.sampler.topology == Centroid(decay=0.5)
    width = run.encoder.projection or run.encoder.hidden
    moments = {moment.name: moment for moment in memory(run, CorpusSize(100, 100, 100), Machine())}
    [part] = [part for part in moments["retriever's step"].working if part.name == NAME]
    assert (part.size, part.detail) == (4 * width, f"a mean of {width} x 4 bytes")


def test_it_is_refused_where_it_cannot_train(library):
    changed = f"sampler: {{preset: trisampler, topology: {NAME}}}"
    edit(library, f"papers/{TABLE}.yaml", "sampler: trisampler", changed)  # TAUGHT extends it
    with pytest.raises(UserError, match=f"topology '{NAME}' does not fit recipe 'ar2-continue'"):
        library.target(TAUGHT)
    edit(library, "scales/scratch.yaml", "  pooling: idf-mean", "  pooling: idf-mean\n  towers: separate")
    with pytest.raises(
        UserError, match=f"row 'TriSampler' has a {NAME}, scale 'scratch' has separate towers"
    ):
        library.target(TABLE)


def test_a_sampler_that_draws_nothing_may_choose_it(library):
    edit(
        library,
        f"papers/{TABLE}.yaml",
        "sampler: trisampler",
        f"sampler: {{preset: in-batch, topology: {NAME}}}",
    )
    leave_out_separate_towers(library)
    assert library.target(TABLE).target.rows


def test_harness_methods_tells_of_it(library):
    [method] = methods_named(library, NAME)
    assert (method.kind, method.summary) == ("topology", Centroid.summary)
    assert [parameter.name for parameter in method.parameters] == ["decay"]
