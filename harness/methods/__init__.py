"""Methods: descriptions of samplers, losses, recipes and encoders, derived from their classes."""
