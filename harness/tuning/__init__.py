"""Hyperparameter tuning: trials that are training runs, on a collection without a test split."""
