"""The report of a calibration: how often the intervals cover a true difference of 0."""
