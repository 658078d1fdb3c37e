"""Evaluation: measures with pinned providers, and inference on differences."""
