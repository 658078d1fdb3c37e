"""What a search came to, from its trials.json alone."""
