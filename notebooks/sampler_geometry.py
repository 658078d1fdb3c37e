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
# # Where samplers draw
#
# A dense retriever learns from a query $q$, a passage $d^+$ that answers it, and negatives $d^-$ that do not. Which negatives?
# The first $K$ passages that the retriever itself finds are the *candidates*; a *sampler* draws $n$ of them. This notebook looks
# at what different samplers draw from the very same candidates: where around query and positive, at which ranks, and how much
# of it another sampler would have drawn as well.
#
# Nothing is trained here: `make notebooks` makes the runs first (TriSampler's Table 5, one seed). At quick scale the collection
# is the built-in one and the base run is all-MiniLM-L6-v2 as it is, scores being 20 times a cosine. That is no evidence about the
# papers: it shows how one looks, and that a law that behaves in one way on one retriever may behave in another way on the next.
#
# *Here* in the text means the committed figures: quick scale, seed 0. At another scale (`HARNESS_SCALE`) figures and tables
# change with it; those sentences do not.

# %%
import os

import numpy as np
import pandas as pd

import harness
from harness.analysis.geometry import REGIONS, geometry, points
from harness.analysis.geometry_figure import draw_geometry
from harness.analysis.inclusion_by_rank import inclusion_over_parameters, inclusion_per_rank
from harness.analysis.inclusion_figure import draw_inclusion, draw_inclusion_over_parameters
from harness.analysis.interval_table import interval_table
from harness.analysis.notebook_figure import show_figure
from harness.analysis.overlap import overlap, overlap_between_rounds
from harness.analysis.overlap_figure import draw_overlap
from harness.negatives.examples import example_distributions
from harness.negatives.laws.trisampler import apex_angle, difference_of_angles
from harness.negatives.noise import Noise
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler
from harness.reports.distributions.figure import draw_examples
from harness.specs.library import Library
from harness.specs.target import with_runs

TARGET, SCALE = "trisampler/table-5", os.environ.get("HARNESS_SCALE", "quick")
pd.set_option("display.max_colwidth", 120)

trained = [
    row.name
    for row in with_runs(Library.default().target(TARGET).target.rows)
    if row.kind in ("trained", "control")
]
runs = {name: harness.load(TARGET, row=name, scale=SCALE) for name in trained}
samplers = {name: run.sampler for name, run in runs.items()}


def every(count: int) -> np.ndarray:
    """Return about so many rows, evenly spread."""
    rows = len(everything.query)
    return np.arange(0, rows, max(1, rows // count))


everything = runs["TriSampler"].candidates
some, few = everything.rows(every(1000)), everything.rows(every(100))
rows, k = some.score.shape
print(
    f"{runs['TriSampler'].collection.name}, {SCALE} scale: {rows} of {len(everything.query)} training queries, {k} candidates each"
)
print("; ".join(f"{name}: {s.law.name}, n = {s.negatives}" for name, s in samplers.items()))

# %% [markdown]
# All rows of the table continue one base run, so their first candidates are the same: what differs below is the sampler alone.
#
# ## The plane
#
# A sampler knows three scores of a candidate: $s(q,d^-)$, $s(q,d^+)$ and $s(d^+,d^-)$, all inner products of embeddings. Two
# differences are enough to place it:
#
# $$x = s(q,d^-) - s(q,d^+), \qquad y = s(d^+,d^-) - s(q,d^-).$$
#
# At $x = 0$ the retriever finds the negative as relevant as the positive; right of it the negative outscores the positive, which is
# either a mistake that is worth learning from or a passage that is relevant and has no label
# ([false_negatives](false_negatives.ipynb)). At $y > 0$ the negative is nearer to the positive than the query is. The samplers
# of the table weigh a candidate so:
#
# | sampler | weight | source |
# |---|---|---|
# | Uniform | $1$ | TriSampler, Table 5 |
# | TopK | $e^{x}$, the softmax of $s(q,d^-)$ | TriSampler, Table 5; the softmax is a reading |
# | Debiased | $\max(e^{x} - \tau,\, 0)$, $\tau = 0.1$ | TriSampler, Table 5, without a formula; our reading after Chuang et al. 2020, eq. 8 |
# | SimANS | $e^{-a (x - b)^2}$, $a = 0.5$, $b = 0$ | SimANS, eq. 4; appendix D |
# | TriSampler | first $e^{-x^2/4}$ draws half of $K$, then $\max(y,\, 0)$ weighs those | TriSampler, eqs. 5 and 6; the half is ours, the paper leaves it open |
#
# Only TriSampler looks at $y$; the others slice the plane by vertical lines. All draw without replacement, and where fewer than
# $n$ candidates have a weight, the rest is filled (TriSampler by equation 5, the others evenly).
#
# **Look at** how far the dots reach to the left (easy negatives), and whether they follow the grey cloud or cut a piece out of it.

# %%
plane = points(samplers, [everything.rows(every(300))])
show_figure(
    draw_geometry, plane, title=f"{TARGET}: where samplers draw ({SCALE} scale, candidates of the base run)"
)

# %% [markdown]
# Here most of the cloud lies left of 0, and $y = 0$ goes through its middle: most candidates are easier than the positive, and about half
# are nearer to it than the query is. Uniform draws follow the cloud. TopK and SimANS draw further to the right, above and below
# $y = 0$ nearly alike; SimANS leaves out the far right. Debiased has an edge at $x = \log 0.1 = -2.3$; what lies left of it is filling, not law.
# TriSampler's dots lie above $y = 0$, where equation 6 wants them, but for a few below, which are filling.
#
# ## The triangular region
#
# TriSampler's *quasi-triangular principle* wants both at once: $s(q,d^-) \approx s(q,d^+)$ and $s(d^+,d^-) \ge s(q,d^-)$. How
# near "$\approx$" is, the paper does not say; it draws the region with an angle of 60 degrees (Figure 2). So there are readings:

# %%
pd.Series(REGIONS, name="inside, if").to_frame().rename_axis("reading")

# %%
figures = geometry(samplers, [some])
interval_table(figures[figures["quantity"] == "inside"], index="sampler", columns="reading", factor=100)

# %% [markdown]
# *(share of draws inside, %, with 95 % intervals over queries)*
#
# The reading decides: 4 % of the candidates are in the region, or 46 %. Under the two narrow readings all samplers but Uniform draw from it
# two to three times as often as it has candidates, and TriSampler, whose principle it is, most often: 29 % by *near*, where SimANS,
# which never sees $y$, has 22 %; by *shell* it has 14 % and SimANS 13 %, and the intervals overlap. What TriSampler does differently
# shows in the half-plane: 94 % of its draws lie in it, of each other sampler's a bit less than half, as of the candidates. Two thirds of
# them are more than 2 away from $x = 0$: the half of $K$ that equation 5 draws reaches far to the left, and among these the largest $y$
# wins.
#
# ## Zero weights
#
# Equation 6 is $\max(y, 0)$: where the query is nearer to the negative than the positive is, the weight is 0. Inner products of two
# towers have no common scale, so $y > 0$ may hold for nearly all candidates of a retriever or for nearly none; that must be
# measured. **Look at** the share of candidates without a weight, and at how much of what is drawn a law does not speak for:
# the filling.


# %%
def filling(name: str) -> dict[str, str]:
    """Return how much of a sampler's draws its law's weights did not choose."""
    filled = samplers[name](some, Noise(0, 0, np.zeros(rows, dtype=np.int64))).filled
    return {
        "rows with a filling, %": f"{100 * (filled > 0).mean():.1f}",
        "of all draws, %": f"{100 * filled.sum() / (rows * samplers[name].negatives):.1f}",
    }


weights = interval_table(
    figures[figures["quantity"] == "zero weight"], index="sampler", columns="quantity", factor=100
)
weights.columns = ["y <= 0, % of draws"]
weights.join(pd.DataFrame({name: filling(name) for name in samplers}).T).fillna("")

# %% [markdown]
# Here half of the candidates have no weight under equation 6. In 12.5 % of the rows fewer than 15 of the transitional negatives have one, and 6 %
# of all that TriSampler draws is the filling by equation 5, which is SimANS's law with $a = 1/4$. So here nearly all of TriSampler's draws
# are equation 6's. A third of what Debiased draws is its even filling. Both are statements about this retriever: on the simulation
# (seed 0) 25 % of the candidates have no weight, and 10 % of TriSampler's draws are filling.
#
# ## Angles
#
# The paper speaks of an angle, too, and there are two readings. Equation 4 as printed is a difference of two angles at the
# origin, $|\angle(q,d^+) - \angle(q,d^-)|$. The drawing has the angle of the triangle at $q$, between $d^+ - q$ and $d^- - q$
# (*apex*). The second one explains the 60 degrees: if all embeddings had one length and $x = 0$, the triangle would have
# two equal sides that meet at $q$, and the angle between them is below 60 degrees exactly when the third side is the shortest,
# $|d^+ - d^-| < |q - d^-|$, which for equal lengths is $s(d^+,d^-) > s(q,d^-)$, or $y > 0$. Then equation 6 *is* the angle, and
# an extra step for it is not needed (Algorithm 1 has none). **Look at** whether 60 degrees would cut off anything.

# %%
beyond = {"eq4": difference_of_angles(some), "apex": apex_angle(some)}
for reading, radians in beyond.items():
    print(
        f"{reading}: {100 * (np.rad2deg(radians)[some.valid] > 60).mean():.2f} % of all candidates beyond 60 degrees"
    )
angles = figures[figures["quantity"].str.startswith("angle")].sort_values(
    "reading", ascending=False, kind="stable"
)
interval_table(angles, index=["reading", "sampler"], columns="quantity").rename_axis(columns="degrees")

# %%
lengths = {
    "query": some.query_norm,
    "positive": some.positive_norm,
    "candidate": some.document_norm[some.valid],
}
pd.DataFrame(
    {name: np.quantile(of, [0.1, 0.5, 0.9]) for name, of in lengths.items()}, index=["10 %", "50 %", "90 %"]
).T.round(2).rename_axis(columns="length of embeddings")

# %% [markdown]
# Equation 4 as printed reaches 25 degrees at the 90 % quantile of all candidates and 60 nowhere: as a limit it takes nothing away. The
# angle at $q$ is beyond 60 degrees for 78 % of them: it takes away a lot. All embeddings have one length here, so it is the same condition as
# $y > 0$ where $x = 0$. But most candidates lie left of that, further from the query than the positive is, where the third side must be
# shorter still: 46 % have $y > 0$, and 22 % an angle below 60 degrees. Of TriSampler's draws, nearly all with $y > 0$, 60 % have.
#
# ## How many candidates are there in effect?
#
# With $p_i$ the weights of a row as shares of their sum, the *effective number* is $\exp(-\sum_i p_i \log p_i)$: $K$ if all weigh
# the same, 1 if one has all the weight. If it is smaller than $n$, drawing $n$ without replacement must take what the law hardly
# wants, and the law decides about the first few draws only.

# %%
counted = interval_table(
    figures[figures["quantity"] == "effective candidates"], index="sampler", columns="quantity"
)
counted.join(pd.Series({name: str(s.negatives) for name, s in samplers.items()}, name="n drawn")).fillna("")

# %% [markdown]
# Here the laws are wide: SimANS's bell and TopK's softmax are on average as wide as 60 of the 200 candidates, and none is narrower than the 15
# that are drawn. Debiased's weights count 80, and yet in 45 % of the rows fewer than 15 candidates have one, as the table of fillings above
# says: rows differ. For TriSampler it counts equation 6 on one draw of the transitional
# negatives; a row in which none has a weight counts 0. Its interval, like all others here, is about queries, not about other seeds.
#
# ## Over rounds
#
# Candidates are mined again while the retriever trains. What the trainer logged at each refresh, for TriSampler's run:

# %%
refresh = runs["TriSampler"].metrics.query("phase == 'continued refresh'")
refresh.pivot(index="step", columns="metric", values="value").round(2)

# %% [markdown]
# `gap_mean` and `gap_sd` are those of $x$ over the candidates, `zero_relu_share` is the share of candidates with $y \le 0$,
# `fallback_rows_share` the share of rows with a filling. The same plane, for the candidates of the base run (round 0) and for
# those that the finished retriever would mine (after the last step, called round 1 here): **look at** whether the grey cloud moves.

# %%
chosen = everything.query[every(300)]
start = everything.rows(every(300))
final = {name: run.retriever.candidates("train", k=k, queries=chosen) for name, run in runs.items()}
moved = points({"TriSampler": samplers["TriSampler"]}, [start, final["TriSampler"]])
show_figure(
    draw_geometry, moved, title=f"TriSampler's run: base run (round 0) and finished (round 1), {SCALE} scale"
)

# %% [markdown]
# And in figures, each sampler in its own run: what its own training did to its draws. Every cell has the base run's value first
# and the finished retriever's second.

# %%
SHOWN = {"inside near": 100, "zero weight ": 100, "x ": 1, "effective candidates ": 1}
both = {
    name: geometry({name: samplers[name]}, [start, final[name]]).query("sampler == @name")
    for name in samplers
}
after = pd.concat(both.values()).assign(what=lambda f: f["quantity"] + " " + f["reading"])
after = after[after["what"].isin(SHOWN)]
scaled = after[["value", "low", "high"]].mul(after["what"].map(SHOWN), axis=0)
interval_table(after.assign(**scaled), index=["sampler", "round"], columns="what")

# %%
again = pd.concat(
    overlap_between_rounds({name: samplers[name]}, [start, final[name]]).assign(run=name) for name in samplers
)
again["of"] = np.where(again["sampler"] == again["run"], "draws, " + again["noise"] + " noise", "candidates")
interval_table(again, index="run", columns="of", factor=100).rename_axis(columns="found again at the end, %")

# %% [markdown]
# The trainer's figures are of its first 1,000 pairs, not of an even sample, so they are not those of the tables above.
#
# Here each run moved its candidates. TopK's and Debiased's draws with $y \le 0$ fall by 18 points, from 55 and 56 to 37 %, and the intervals are
# apart; their draws in the region rise by half. Uniform's, TriSampler's and SimANS's draws move to the left (*x*), away from the
# positive, by half a point of the score; these intervals touch. (The two rounds have the same queries, so overlapping intervals are a
# cautious test.) A quarter of the candidates is new at the end of each run. SimANS, with independent noise, draws half of its first
# negatives again: it depends least on the dice.
#
# ## At which ranks?
#
# The chance of a candidate to be among the $n$ drawn (its *inclusion probability*) can be computed without drawing. Drawing without replacement by
# weights $w_i$ is a race of exponential clocks of rates $w_i$ (Efraimidis and Spirakis 2006): candidate $i$ is in if fewer than $n$
# others ring before it,
#
# $$\pi_i = \int_0^\infty w_i e^{-w_i t}\; P(\text{fewer than } n \text{ of the others have rung at } t)\; dt.$$
#
# **Look at** the first ranks, where relevant passages without a label are most likely, and at the tail, where negatives teach
# little.

# %%
by_rank = inclusion_per_rank(samplers, few)
show_figure(
    draw_inclusion, by_rank, title=f"{TARGET}: chance of each rank to be drawn, n = 15 of {k} ({SCALE} scale)"
)

# %%
ranks = [rank for rank in (1, 5, 10, 20, 50, 100, 200) if rank <= k]
interval_table(by_rank[by_rank["rank"].isin(ranks)], index="sampler", columns="rank", value="mean", digits=2)

# %% [markdown]
# Here TopK takes the first rank in nine rows of ten, SimANS in six of ten and the fifth in two of three: beside TopK the bell
# does what the paper draws it for, it spares the very top, and its line is level up to rank 10. TriSampler takes each of the first fifty ranks in about one row of seven, as its
# first stage keeps half of $K$ and its second does not look at the rank (its line is uneven because it is a mean over 16 draws of that
# stage). Uniform is 15 / 200 everywhere. The axis is logarithmic: each line sums to 15 over the ranks, and the tail holds more than it
# seems to.
#
# ## What a and b of SimANS do
#
# In $e^{-a (x - b)^2}$, $a$ says how narrow the bell is and $b$ where it stands. The paper tunes both (section 5.3). As $x$ is a
# difference of raw inner products, the same $a$ means another thing for every retriever: what counts is $a$ times the square of
# the spread of $x$.

# %%
simans = Sampler(make_law({"name": "simans", "a": 0.5, "b": 0.0}), make_draw("without-replacement"), 15)
fewer = everything.rows(every(50))
over = inclusion_over_parameters(simans, fewer)
show_figure(
    draw_inclusion_over_parameters,
    over,
    title=f"SimANS over a (b = 0) and b (a = 0.5), n = 15 of {k} ({SCALE} scale)",
)

# %% [markdown]
# Here a larger $a$ sharpens the fall behind rank 15: 15 of 200 must be drawn, so at $a = 2$ SimANS draws mostly the 15 nearest to $x = b$. At
# rank 1 the bands overlap from $a = 0.25$ on. $b$ moves draws between the first 15 ranks and the tail: at $b = 2$ those that rival the
# positive are wanted, at $b = -2$ they are spared. The released code *adds* $b$
# where the paper subtracts it; `b_enters` has both.
#
# A mean over queries hides that the bell stands elsewhere for each query. SimANS's figure 5 shows single queries of MS-Pas, their
# first 50 candidates; here are four of ours, chosen by how far their best candidate outscores the positive. **Look at** where
# the dashed line stands: SimANS draws around it.

# %%
outscored = (some.gap() > 0).any(axis=1)
print(f"{100 * outscored.mean():.1f} % of {rows} rows have a candidate that outscores the positive")
show_figure(
    draw_examples,
    example_distributions(simans, some),
    title=f"SimANS on four training queries (as its figure 5), {SCALE} scale",
)

# %% [markdown]
# Above each panel stands the number of a query. In the first no candidate outscores the positive: the bell stands left of the list, falls from the
# first rank on, and SimANS draws nearly the first 15, as TopK does. In the last one eight outscore it, and the first three of these are
# spared. 62.5 % of the rows have a candidate that outscores the positive; in the others the bell has nothing to spare.
#
# ## Do samplers draw the same?
#
# If two samplers draw mostly the same negatives, the difference between their rows in a table can only come from the rest. The
# map at the left compares draws with independent random numbers; on its diagonal stands what a sampler draws again at the next
# visit. The harness gives all rows *common random numbers* (map at the right), so that the difference between two rows comes
# from the laws and not from the dice. **Look at** the diagonal at the left, then at the pairs.

# %%
pairs = overlap(samplers, everything.rows(every(300)))
show_figure(draw_overlap, pairs, title=f"{TARGET}: what samplers draw in common ({SCALE} scale)")

# %% [markdown]
# Here SimANS draws 53 % of its negatives again at the next visit, Debiased 40 %, TriSampler 34 %, TopK 30 %, Uniform 8 %, which is 15 / 200.
# TriSampler draws others than the rest do: it shares 15 % with SimANS, and with none more than 12 % besides. With common random numbers
# Debiased shares 71 % with TopK, because its weights are TopK's less a constant, and half with Uniform, because its filling is even
# and falls on the same passages: here it is a mixture of the two.
#
# ## Go on from here
#
# - Another sampler: `Sampler(make_law({"name": "trisampler", "transitional": 0.25}), make_draw("without-replacement"), 15)`; the
#   laws and their parameters stand in [docs/methods.md](../docs/methods.md).
# - Another retriever or collection: every function above takes `Candidates`; `run.retriever.candidates("dev", k=50)` mines some for
#   any split.
# - What the draws cost: [false_negatives](false_negatives.ipynb).
