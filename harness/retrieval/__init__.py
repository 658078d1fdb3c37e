"""Retrieval: encoding, exact search, BM25, reranking."""
