"""Estimates of training's memory, from settings only."""
