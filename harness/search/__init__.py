"""Searches over settings of samplers, by Optuna."""
