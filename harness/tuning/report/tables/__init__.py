"""The tables of a search, one a file."""
