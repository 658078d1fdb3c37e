"""Specs: what a paper published and what must be trained to publish it again; read, checked, resolved."""
