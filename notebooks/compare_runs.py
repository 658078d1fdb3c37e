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
# # Comparing runs, query by query
#
# A table gives each retriever one number. Two retrievers with the same number may still answer different queries. This
# notebook opens the finished runs of a table and looks behind the mean: which queries differ, whether the difference of the
# means can be told from 0, and how differently two runs rank the same query.
#
# Nothing is trained here. `make notebooks` makes the runs first (TriSampler's Table 5, one seed), on the built-in collection and from a
# small real encoder, whose figures are no evidence about the paper: they show how one looks. What the text says of figures is of the
# committed ones: quick scale, seed 0.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import harness
from harness.evaluation.significance import checkpoint_interval, holm
from harness.reports.drawing import OKABE_ITO, STYLE
from harness.specs.library import Library
from harness.specs.target import with_runs

TARGET, SCALE = "trisampler/table-5", os.environ.get("HARNESS_SCALE", "quick")
plt.rcParams.update({**STYLE, "figure.dpi": 110})

loaded = Library.default().target(TARGET)
runs = {row.name: harness.load(TARGET, row=row.name, scale=SCALE) for row in with_runs(loaded.target.rows)}
primary = next(c.measure for c in loaded.target.columns if c.label == loaded.target.primary)
baseline = loaded.target.baseline
print(f"{len(runs)} runs on {runs[baseline].collection.name}, {SCALE} scale; {primary} on its test queries")

# %% [markdown]
# ## The means
#
# `per_query` holds every measure of every query. A mean over queries is what the table prints.

# %%
scores = pd.DataFrame(
    {
        name: run.per_query.query("split == 'test' and measure == @primary").set_index("query")["value"]
        for name, run in runs.items()
    }
)
(100 * scores.mean()).round(1).rename("mean, %").to_frame()

# %% [markdown]
# ## Is a difference more than chance?
#
# All rows answer the same queries, so we compare them in pairs: for each query the difference of its two scores. What is
# uncertain is the mean $\bar d$ of those differences over the queries that might have been asked. With $Q$ queries and the
# standard deviation $s$ of the differences, Student's interval is
#
# $$\bar d \pm t_{Q-1}\, \frac{s}{\sqrt{Q}}.$$
#
# This interval is about *these checkpoints*: the same weights, other queries. It says nothing about what the method would do
# with another seed; for that a table needs several seeds ([docs/statistics.md](../docs/statistics.md)). As several rows are
# compared with one baseline, p-values are adjusted by Holm's procedure.

# %%
rows = [name for name in runs if name not in (baseline, "BM25", "Base")]
differences = {name: scores[name] - scores[baseline] for name in rows}
intervals = {name: checkpoint_interval(d.to_numpy()[None, :], 0.95) for name, d in differences.items()}
adjusted = holm([interval.p_value for interval in intervals.values()])
pd.DataFrame(
    [
        {
            "row": name,
            f"minus {baseline}, points": f"{100 * i.mean:+.2f}",
            "95 %": f"[{100 * i.low:+.2f}, {100 * i.high:+.2f}]",
            "p (Holm)": f"{p:.3f}" if p >= 0.001 else "< 0.001",
            "better": int((differences[name] > 0).sum()),
            "worse": int((differences[name] < 0).sum()),
            "same": int((differences[name] == 0).sum()),
        }
        for (name, i), p in zip(intervals.items(), adjusted, strict=True)
    ]
).set_index("row")

# %% [markdown]
# At quick scale TopK, Debiased and TriSampler lie below Uniform beyond chance, SimANS does not differ. But that is one seed:
# [Table 5](../results/quick/trisampler/table-5/table.md) has five, and over seeds and queries only TriSampler remains below.
#
# Look at *better* and *worse*: about four queries in five score the same, and a mean is the balance of those that gain and those that
# lose. The figure sorts each row's differences from the largest gain to the largest loss.

# %%
figure, axes = plt.subplots(figsize=(8, 3.2))
for number, name in enumerate(rows):
    ordered = np.sort(differences[name].to_numpy())[::-1]
    axes.plot(
        np.arange(1, len(ordered) + 1),
        ordered,
        color=OKABE_ITO[number % len(OKABE_ITO)],
        linestyle=("-", "--", "-.", ":")[number % 4],
        label=name,
    )
axes.axhline(0, color="#333333", linewidth=0.6)
axes.set_xlabel("queries, from the largest gain to the largest loss")
axes.set_ylabel(f"{loaded.target.primary} minus {baseline}")
axes.legend(frameon=False)
axes.set_title(f"{TARGET}: where rows differ from {baseline} ({SCALE} scale)", loc="left")
plt.show()

# %% [markdown]
# ## Which queries are hard for all?
#
# If two retrievers fail on the same queries, their scores are correlated, and the paired interval above is much narrower than
# one that treats them as independent. The correlation says how much we gain by pairing.

# %%
scores.drop(columns=["BM25"], errors="ignore").corr().round(2)

# %% [markdown]
# ## Do they rank alike?
#
# Two runs may reach the same score with different documents. For each query we compare the first ten documents of a run with
# those of the baseline: the share that both have.


# %%
def first_documents(run: harness.OpenedRun, depth: int) -> dict[str, set[str]]:
    """Return the first documents of each test query."""
    ranking = run.rankings("test")
    return {q: set(rows["document"]) for q, rows in ranking[ranking["rank"] <= depth].groupby("query")}


DEPTH = 10
top = {name: first_documents(run, DEPTH) for name, run in runs.items()}
shared = {
    name: float(np.mean([len(top[name][q] & top[baseline][q]) / DEPTH for q in top[baseline]]))
    for name in runs
    if name != baseline
}
pd.Series(shared, name=f"share of the first {DEPTH} in common with {baseline}").round(2).to_frame()

# %% [markdown]
# BM25 reads words and the others read vectors, so it finds other documents; the continued runs all start from one base run and
# stay closer to each other than to it. A row that shares less with the baseline was moved further by its negatives, for better or for worse.
#
# ## While they trained
#
# `metrics` holds all that was logged. At every refresh the trainer looks at the dev queries:

# %%
curve = pd.DataFrame(
    {
        name: run.metrics.query("phase == 'continued dev'").set_index("step")["value"]
        for name, run in runs.items()
        if name in (baseline, *rows)
    }
)
(100 * curve).round(2)

# %% [markdown]
# ## Go on from here
#
# - `harness compare trisampler/table-5:TriSampler trisampler/table-5:'Uniform Sampling'` writes the same with the texts of the queries,
#   into `results/local/`, which is never committed.
# - `harness reproduce trisampler/table-5 --seeds 3` adds the interval of the method.
# - `harness.load(...).rankings("dev")` and `.per_query` are plain DataFrames: any test of yours applies.
