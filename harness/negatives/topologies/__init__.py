"""Topologies: whose negatives count. One small file each; `harness.training` puts them to work."""
