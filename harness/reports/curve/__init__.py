"""The report of curves: a measure of the dev queries while rows train."""
