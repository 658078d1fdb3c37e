"""The report of a calibration: what the intervals cover where the true difference is 0."""
