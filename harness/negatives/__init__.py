"""Samplers of negatives: source x law x draw; presets add a topology, which training puts to work."""
