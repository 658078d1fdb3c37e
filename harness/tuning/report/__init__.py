"""What a tuning came to, from its trials.json alone."""
