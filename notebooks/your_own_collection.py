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
# # Samplers on your own collection
#
# You have documents, queries, and some judgements of what is relevant. Which negatives should your retriever learn from? This
# notebook goes the whole way on a small collection: the files, a first look with an encoder, what each sampler would draw for
# *your* scores, and a table in which they are trained and compared.
#
# The collection is made up here (the simulation, so that nothing has to be downloaded). With one of your own, begin at the
# second section and name its folder; [docs/your-own-collection.md](../docs/your-own-collection.md) has the details.

# %%
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml

import harness
from harness.analysis.inclusion_by_rank import inclusion_over_parameters
from harness.analysis.inclusion_figure import draw_inclusion_over_parameters
from harness.analysis.notebook_figure import show_figure
from harness.collections.beir import load_beir
from harness.collections.planted import build_planted
from harness.evaluation.measures import evaluate
from harness.negatives.noise import Noise
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler, diagnose
from harness.retrieval.encode import Reader
from harness.runs.evaluation import rank
from harness.specs.library import Library

SCALE = os.environ.get("HARNESS_SCALE", "quick")
place = Path(tempfile.mkdtemp())

# %% [markdown]
# ## 1. The files
#
# A collection is a folder in the layout of BEIR: `corpus.jsonl` and `queries.jsonl`, one JSON object a line, and judgements in
# `qrels/train.tsv`, `dev.tsv`, `test.tsv`. Training queries usually have few labels; here each has one, though five more
# documents are relevant: the unlabelled ones are the false negatives that a sampler may draw.

# %%
topics, asked_for, seeds = (8, 160, 1) if SCALE == "simulation" else (24, 800, 2)
world = build_planted(
    topics=topics, intents_per_topic=6, documents_per_intent=6, train_queries=asked_for, dev_queries=60,
    test_queries=200, confusability=0.6, label_rate=1.0, seed=7,
)  # fmt: skip
mine = place / "mine"
(mine / "qrels").mkdir(parents=True)


def write_lines(path: Path, lines: list[str]) -> None:
    """Write a text file."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


documents = zip(world.document_ids, world.documents, strict=True)
write_lines(mine / "corpus.jsonl", [json.dumps({"_id": d, "text": text}) for d, text in documents])
asked = [pair for queries in world.queries.values() for pair in zip(queries.ids, queries.texts, strict=True)]
write_lines(mine / "queries.jsonl", [json.dumps({"_id": q, "text": text}) for q, text in asked])
for split, queries in world.queries.items():
    judged = [f"{q}\t{d}\t1" for q, documents in queries.qrels.items() for d in documents]
    write_lines(mine / f"qrels/{split}.tsv", ["query-id\tcorpus-id\tscore", *judged])
for name in ("corpus.jsonl", "queries.jsonl", "qrels/train.tsv"):
    print(name, "|", (mine / name).read_text().splitlines()[1][:100])

# %% [markdown]
# ## 2. A first look
#
# `load_beir` reads the folder; a wrong line is refused with its file and number. Any encoder can be opened on it: a folder
# or hub id of `SentenceTransformer` or `transformers`, or one that the harness trained. Here it is the base run of TriSampler's
# Table 5, saved to a folder: at quick scale all-MiniLM-L6-v2 as it is, which has never seen such words
# and finds little (in the table of section 4 the base run is trained on them first).

# %%
collection = load_beir(mine)
base = harness.load("trisampler/table-5", row="Base", scale=SCALE)
base.save_encoder(place / "encoder")
retriever = harness.load_encoder(
    place / "encoder", collection, query_tokens=16, passage_tokens=48, name="base run"
)
reader = Reader(retriever.encoder, retriever.tokens)
ranking = rank(100, collection, reader, retriever.documents, "test")
measured = evaluate(ranking, collection.queries["test"].qrels, ["RR(rel=2)@10", "R(rel=2)@50"])
print(f"{len(collection.documents)} documents; queries:", {s: len(q) for s, q in collection.queries.items()})
(100 * measured.groupby("measure")["value"].mean()).round(1).rename("before training, %").to_frame()

# %% [markdown]
# ## 3. What would a sampler draw from your scores?
#
# SimANS weighs a candidate $d^-$ by $\exp(-a\,(s(q,d^-) - s(q,d^+) - b)^2)$ (SimANS, section 4.2). The parameter $a$ has the unit of
# one over a squared score. The papers' $a = 0.5$ was chosen for *their* encoders: with scores that lie close together the same
# $a$ is nearly uniform, with widely spread scores it picks very few. So look at the spread of your gaps first, and at the
# *effective number* of candidates, the exponential of the entropy of the weights: K when all weigh alike, 1 when one takes all.

# %%
K = 50
candidates = retriever.candidates("train", k=K)
noise = Noise(seed=0, round=0, visit=0 * candidates.query)


def look(law: dict) -> dict:
    """Return what a law would do here."""
    sampler = Sampler(make_law(law), make_draw("without-replacement"), negatives=15)
    seen = diagnose(sampler, candidates, noise)
    return {
        "law": " ".join(str(part) for part in law.values()),
        "effective candidates": round(seen["effective_candidates"], 1),
        "rows that needed filling": f"{seen['fallback_rows_share']:.0%}",
    }


spread = candidates.gap()[candidates.valid]
print(f"s(q,d-) - s(q,d+) of the first {K}: mean {spread.mean():.2f}, standard deviation {spread.std():.2f}")
laws = [{"name": "uniform"}, {"name": "score"}]
laws += [{"name": "simans", "a": a} for a in (0.05, 0.5, 5.0)]
laws += [{"name": "simans", "a": 0.5, "b": 0.0, "gap": "standardised"}, {"name": "trisampler"}]
pd.DataFrame([look(law) for law in laws]).set_index("law")

# %% [markdown]
# With `gap: standardised` the gap is counted in standard deviations of the row's scores, so that $a$ no longer depends on the
# encoder. The same can be seen rank by rank: the probability that a rank is among the 15 drawn, computed and not simulated.

# %%
simans = Sampler(make_law("simans"), make_draw("without-replacement"), negatives=15)
some = candidates.rows(pd.RangeIndex(0, len(candidates.query), 4).to_numpy())
frame = inclusion_over_parameters(simans, some, grid={"a": (0.05, 0.5, 5.0)})
show_figure(
    draw_inclusion_over_parameters, frame, title="SimANS on your own collection: who is drawn, by rank"
)

# %% [markdown]
# ## 4. Train and compare
#
# A table is a spec. Two short files are enough: a dataset that says where the collection lies, and a target that names its
# rows. Encoder, steps and learning rates come from a scale; the smallest one serves here. Rows differ in the sampler alone,
# and uniform sampling stands among them: it is the control with the same number of steps.

# %%
specs = place / "experiments"
shutil.copytree(Library.default().root, specs)  # recipes and scales of the checkout
dataset = {
    "title": "Mine",
    "titles": False,
    "collections": {"simulation": {"kind": "beir", "parameters": {"folder": str(mine)}}},
    "further": [{"label": "nDCG@10", "measure": "nDCG@10"}],
}
target = {
    "title": "Samplers on my collection",
    "kind": "comparison",
    "citation": "Ours (not from a paper)",
    "unit": "percent",
    "columns": [{"label": "MRR@10", "dataset": "mine", "measure": "RR(rel=2)@10"}],
    "primary": "MRR@10",
    "baseline": "Uniform",
    "scales": ["simulation"],
    "seeds": seeds,
    "shared": {"recipe": "continue-contrastive", "candidates": 50, "negatives": 15},
    "rows": [
        {"name": "Base", "kind": "reference", "evaluates": "base/retriever"},
        {"name": "Uniform", "kind": "control", "sampler": "uniform"},
        {"name": "SimANS", "kind": "control", "sampler": "simans"},
        {
            "name": "SimANS, standardised",
            "kind": "control",
            "sampler": {"preset": "simans", "law": {"gap": "standardised"}},
        },
    ],
}
paper = {"title": "Mine", "citation": "My own", "code": "none", "notes": []}
for path, content in (
    ("datasets/mine.yaml", dataset),
    ("papers/mine/paper.yaml", paper),
    ("papers/mine/samplers.yaml", target),
):
    (specs / path).parent.mkdir(exist_ok=True)
    (specs / path).write_text(yaml.safe_dump(content, sort_keys=False))

# %% [markdown]
# `harness reproduce mine/samplers --scale simulation` trains what is missing and writes the table. From a notebook it is a command
# like any other; only the place of the specs and of the store are told to it.

# %%
environment = os.environ | {
    "HARNESS_EXPERIMENTS": str(specs),
    "HARNESS_STORE": str(place / "store"),
    "MLFLOW_TRACKING_URI": "",
}
command = [sys.executable, "-m", "harness.cli", "reproduce", "mine/samplers", "--scale", "simulation"]
package = Path(harness.__file__).parents[1]
environment["PYTHONPATH"] = str(package)
completed = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
if completed.returncode:
    raise RuntimeError(completed.stderr)
cells = json.loads((place / "results/local/simulation/mine/samplers/cells.json").read_text())
pd.DataFrame(
    [
        {
            "row": row["name"],
            **{
                column["label"]: f"{100 * cell['reproduced']['mean']:.1f}"
                for column, cell in zip(cells["columns"], row["cells"], strict=True)
            },
        }
        for row in cells["rows"]
    ]
).set_index("row")

# %% [markdown]
# The folder of results holds the table as Markdown, LaTeX, HTML and CSV, the figure, and the intervals. One or two seeds say little
# about a method; `--seeds` takes more.
#
# ## 5. Go on from here
#
# - Choose `a`, `b` or K with `harness tune`, on queries held out of the training queries, so that the test queries are looked at
#   once ([docs/tuning.md](../docs/tuning.md)).
# - `sampler_geometry` and `false_negatives` take the same `candidates`.
# - The same in one command, without a spec: `harness reproduce trisampler/table-5 --collection beir:FOLDER --encoder FOLDER-OR-HUB-ID`
#   makes the rows of a shipped table on your files.
# - A larger encoder is a scale of your own in `experiments/scales/`: `encoder: {start: <folder or hub id>, ...}`.

# %%
shutil.rmtree(place)
