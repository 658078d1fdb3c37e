"""The report of learning curves: a measure of the dev queries during training."""
