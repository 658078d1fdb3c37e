"""Collections: built-in ones, those in the layout of BEIR, archives, tokens."""
