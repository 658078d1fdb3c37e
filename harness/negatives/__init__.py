"""Samplers of negatives: source x law x draw x topology."""
