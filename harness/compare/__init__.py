"""`harness compare`: two rows, runs or checkpoints, query by query.

Its reports show the texts of queries. Those of a harvested collection must never be committed, so reports are
written only to `results/local/`, which git ignores, and cannot be published.
"""
