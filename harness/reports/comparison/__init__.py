"""The report of a comparison: published and reproduced figures, and differences from a baseline."""
