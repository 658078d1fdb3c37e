"""The life of a run: collection, tokens, candidates, training, evaluation, reranking."""
