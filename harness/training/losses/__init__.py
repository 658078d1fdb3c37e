"""Losses over the scores of a query's positive and its negatives, one small file each."""
