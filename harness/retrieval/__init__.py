"""Retrieval: encoding, exact search, BM25, candidate mining."""
