"""The content of a store, and where a figure comes from."""
