"""`harness compare`: two rows, runs or checkpoints, query by query.

Its reports show the texts of queries. Those of a harvested collection must never be committed, so reports are
written to `results/local/` alone, which git ignores, and there is no way to publish one.
"""
