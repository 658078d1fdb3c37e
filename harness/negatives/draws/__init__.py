"""Draws: how n negatives are drawn from weighted candidates. One small file each."""
