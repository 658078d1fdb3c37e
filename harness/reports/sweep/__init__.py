"""The report of a sweep: rows over the values of a parameter."""
