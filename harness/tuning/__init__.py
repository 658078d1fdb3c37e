"""Hyperparameter tuning: each trial is a training run, on a collection without a test split."""
