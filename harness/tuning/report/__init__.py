"""The report of a tuning, rendered from its trials.json."""
