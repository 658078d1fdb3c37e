"""`harness explain`: where a figure comes from, and why a run is not another."""
