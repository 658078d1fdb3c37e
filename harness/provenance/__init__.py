"""What lies in a store, and where a figure comes from."""
