# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Tuning a sampler's settings
#
# Both papers tune their sampler by hand and report the best setting; the baselines beside it were not tuned with the same budget. A
# new collection needs a setting of its own. Three rules keep tuning fair:
#
# 1. **The test split is never touched.** Tuning works on a *carved* collection: documents and training queries, a part of which is held
#    out to choose by. There is no test split in it.
# 2. **The same budget for every sampler**, uniform sampling included; what they share (learning rate, temperature) is tuned for each.
# 3. **The best of n is flattered.** The more settings one tries, the better the best looks, by luck alone. So one shows the expected
#    best against the number of trials, and judges the chosen setting once, with fresh seeds, on the test queries.
#
# This notebook runs a small tuning from Python, inspects it with Optuna's own tools, and then reads the larger, committed ones.

# %%
import os
import shutil
import tempfile
from pathlib import Path

import pandas as pd

from harness.analysis.notebook_figure import show_figure
from harness.errors import HarnessError
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.storage.store import Store
from harness.tuning.report.contour import draw_contour
from harness.tuning.report.expected_best import counted_values, draw_expected, expected_best
from harness.tuning.report.figures import draw_history
from harness.tuning.report.result import read_result
from harness.tuning.tune import run_tuning

SCALE = os.environ.get("HARNESS_SCALE", "quick")
place = tempfile.TemporaryDirectory()

# %% [markdown]
# ## A small tuning
#
# A tuning is one file in `experiments/tuning/`: a target, whose dataset, recipe and scales it uses; rows of it, each with a space;
# objectives; a number of trials. This one varies what TriSampler leaves open: the density $a$ of equation 5, and how many of the
# candidates are transitional. (`simans-a-b`, shipped, does the same for figure 2 of SimANS.)

# %%
spec = """
title: How wide TriSampler looks
citation: Ours (not from a paper)
target: trisampler/table-5
objectives: [{measure: "RR(rel=2)@10"}]
held_out: 0.2
trials: 6
optuna: {sampler: tpe, pruner: median, seed: 0}
studies:
  - row: TriSampler
    space:
      law.a: {low: 0.0, high: 2.0}
      law.transitional: {low: 0.1, high: 1.0}
"""
specs = Path(place.name) / "experiments"
shutil.copytree(Library.default().root, specs)
written = (specs / "tuning/mine.yaml").write_text(spec)

# %% [markdown]
# On the command line this is `harness tune mine --scale simulation`; interrupt it, and run it again to resume. The row's own setting is
# the first trial, TPE proposes the others. Each trial is an ordinary training run, in the same store.

# %%
stages = Stages(Store(Path(place.name) / "store"), Progress(quiet=True))
os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{place.name}/mlflow.db"
finished_tuning = run_tuning(Library(specs), "mine", "simulation", stages, Path(place.name) / "results")
result = read_result(finished_tuning.folder / "trials.json")
show_figure(draw_history, result)

# %% [markdown]
# The study is Optuna's, in an ordinary storage, so everything that reads one works, `optuna-dashboard` too.

# %%
study = finished_tuning.studies[0].study
columns = ("number", "state", "value", "params")
study.trials_dataframe(attrs=columns).round(3)

# %% [markdown]
# *Pruned* trials were stopped at a refresh because their curve on the held-out queries lay below the median of the others at the same
# step. All trials have schedules of one length: at the same step they are then at the same place of the same schedule, and their
# curves can be compared.

# %%
curves = {trial.number: pd.Series(trial.intermediate_values) for trial in study.get_trials()}
(100 * pd.DataFrame(curves)).round(1).rename_axis("step").rename_axis("trial", axis=1)

# %% [markdown]
# ## What is the best of n worth?
#
# Let $v_1 \le \dots \le v_N$ be the values of $N$ settings drawn at random. If only $n$ of them had been tried, each subset alike, the
# best would have been
#
# $$\mathbb{E}[\max] = \sum_{i=n}^{N} v_i\, \binom{i-1}{n-1} \Big/ \binom{N}{n}$$
#
# on average (Dodge et al. 2019, *Show Your Work*; without replacement). It needs settings that were drawn independently, so the tuning
# that compares samplers, `samplers`, draws at random and prunes nothing.

# %%
values = pd.Series([0.20, 0.22, 0.22, 0.23, 0.30])
pd.Series(expected_best(values), index=pd.RangeIndex(1, 6, name="n"), name="expected best").round(
    3
).to_frame().T

# %% [markdown]
# ## The committed tunings
#
# `results/<scale>/tuning/` holds tunings that were run once and in full, with tables, figures and the trials themselves. For each study of the comparison of samplers: the papers' setting, the best one, and what five or twenty trials give on average.

# %%
committed = sorted(Path("results").glob("*/tuning/*/trials.json"))
for path in committed:
    print(path.parent)


def summary(path: Path) -> pd.DataFrame:
    """Return a line for each study of a tuning."""
    result, lines = read_result(path), []
    for one in result.studies:
        finished = [trial for trial in one.trials if trial.values]
        drawn = counted_values(result, one)
        best = expected_best(drawn) if len(drawn) else []
        first = [trial.values[0] for trial in finished if trial.first]
        line = {
            "row": one.row,
            "trials": len(one.trials),
            "finished": len(finished),
            "papers' setting": first[0] if first else None,
            "best": max(trial.values[0] for trial in finished) if finished else None,
        }
        line |= {f"expected best of {n}": best[n - 1] for n in (1, 5, 20) if n <= len(best)}
        lines.append({k: round(100 * v, 1) if isinstance(v, float) else v for k, v in line.items()})
    return pd.DataFrame(lines).set_index("row")


of_samplers = [path for path in committed if path.parts[1:4:2] == ("simulation", "samplers")]
summary(of_samplers[0]) if of_samplers else print("none here")

# %% [markdown]
# Read the columns from left to right. If *expected best of 1* differs between rows, one sampler is less sensitive to its settings; if the
# rows come together as n grows, what looked like a better sampler was a better-tuned one.

# %%
show_figure(draw_expected, read_result(of_samplers[0])) if of_samplers else show_figure(draw_expected, result)

# %% [markdown]
# Figure 2 of SimANS, as far as the trials reach: the held-out value over $a$ and $b$, interpolated between trials, the papers' choices
# marked.

# %%
of_a_b = [path for path in committed if path.parent.name == "simans-a-b" and SCALE in path.parts]
try:
    figure = show_figure(draw_contour, read_result(of_a_b[0]) if of_a_b else result)
except HarnessError as error:
    figure = print(error)
figure

# %% [markdown]
# ## Once, on test
#
# `harness tune NAME --scale S --confirm` writes a target with the best setting of each study beside the papers' setting, makes both
# with three fresh seeds on the whole collection, and measures them on the test queries. A tuning that goes on after that and
# reaches another best setting is not confirmed again: to look at test twice is to choose by it.
#
# The confirmation of `samplers` on the simulation is sobering (`results/simulation/tuning/samplers/table.md`). In two of five studies no
# trial was better than the papers' setting. In the other three the chosen setting is *not better* on test, with three fresh seeds: SimANS loses
# 2.2 points of MRR@10, [-3.2, -1.3]. Held-out queries use the one training label, test queries complete judgements. That settings which please
# the one label do not find the other five documents is a likely reason; it was not put to a test. That is what the confirmation is for.

# %%
place.cleanup()
