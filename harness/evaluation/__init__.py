"""Evaluation: measures with a pinned provider, and what differences mean."""
