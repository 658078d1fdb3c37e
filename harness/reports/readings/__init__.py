"""The report of a specification curve: one row compared with others under every combination of readings."""
