"""Reproduction harness for negative sampling in dense retrieval."""
