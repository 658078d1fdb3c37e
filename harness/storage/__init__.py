"""Paths of the store, and writing that survives crashes and detects corruption."""
