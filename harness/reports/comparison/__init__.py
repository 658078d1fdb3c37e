"""The report of a comparison: rows beside published figures, and their differences to a baseline."""
