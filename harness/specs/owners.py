"""Who may set which key; the error for a key in another's file says where it belongs."""

from __future__ import annotations

PLACES = {
    "scale": "experiments/scales/<scale>.yaml",
    "recipe": "phases of experiments/recipes/<recipe>.yaml",
    "dataset": "experiments/datasets/<dataset>.yaml",
    "row": "rows of experiments/papers/<paper>/<target>.yaml",
}
"""Owner of keys -> where they are written."""

_OWNED = {
    "scale": "tokens vocabulary query_tokens passage_tokens encoder hidden layers heads intermediate "
    "dropout token_dropout pooling projection towers score_scale candidates_cap depth threads seeds hardware "
    "substitutes as_published places precision published_sizes gradient_queries "
    "queries_at_once lacks",
    "recipe": "phases trains start loss temperature optimizer schedule rate batch steps refresh "
    "lr_warmup_share clip_norm weight_decay turns published_turns departs",
    "dataset": "collections measured titles further",
    "row": "sampler preset law draw mask evaluates checkpoint published published_sampler readings",
}
OWNERS = {key: owner for owner, keys in _OWNED.items() for key in keys.split()}
"""Key -> its only owner; a key that several own in different senses (negatives, title) is not listed."""

RENAMED = {"with": "law", "source": "citation"}
"""Key of older specs -> what it is called."""

SUBSTITUTED = ("rate", "batch", "steps", "refresh")
"""Keys of a recipe in whose place a scale puts others, below `substitutes`."""
