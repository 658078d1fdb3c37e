"""The report of kind distributions: the chance of each candidate of some queries to be drawn."""
