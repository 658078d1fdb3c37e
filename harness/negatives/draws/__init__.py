"""Draws: how n negatives are taken from weighted candidates. One small file each."""
