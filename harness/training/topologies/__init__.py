"""Topologies: whose passages a query is trained against. One file each, with all that there is to know of it.

Specs name topologies, and are read without torch: a topology imports it where it scores.
"""
