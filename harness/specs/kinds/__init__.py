"""Kinds of target, a file each: the model of its file, its own checks, how its rows are written out."""
