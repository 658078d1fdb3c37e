"""Who may set which key; a key in another's file is told where it belongs."""

from __future__ import annotations

PLACES = {
    "scale": "experiments/scales/<scale>.yaml",
    "recipe": "experiments/recipes/<recipe>.yaml",
    "dataset": "experiments/datasets/<dataset>.yaml",
    "row": "rows of experiments/papers/<paper>/<target>.yaml",
}
"""Owner of keys -> where they are written."""

_OWNED = {
    "scale": "tokens vocabulary query_tokens passage_tokens lengths encoder hidden layers heads intermediate "
    "dropout token_dropout pooling projection towers score_scale learning_rate steps refresh batch "
    "candidates_cap depth threads seeds hardware",
    "recipe": "start loss temperature teacher schedule phases warm_up_share clip_norm weight_decay departs",
    "dataset": "collection collections measured titles further measures excluded promoted dropped",
    "row": "sampler preset draw mask with evaluates checkpoint published readings candidates",
}
OWNERS = {key: owner for owner, keys in _OWNED.items() for key in keys.split()}
"""Key -> its only owner; a key that several own in different senses (negatives, title) is not listed."""
