"""Collections: pydocs, planted, the archive, tokens."""
