"""Encoders: dual encoder, pooling, saved layout."""
