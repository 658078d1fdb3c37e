"""The initialisation of a fresh ranker: its first layer matches the words of each text in the other.

A fresh cross-encoder would have to learn that a word of the query should attend to the same word in the
passage, which takes more steps than a small scale has (docs/scratch-scale.md). So it starts with what a
pretrained one has learnt: word vectors in which similar words are close, from the base retriever, and an
attention that follows them (Trockman and Kolter, Mimetic initialization of self-attention layers, ICML 2023:
the product of query and key near the identity, that of value and output near minus the identity).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.collections.tokens import TokenStore
from harness.errors import UserError


def begin_matching(model: Any, words: Tensor) -> None:
    """Initialise the word vectors of a fresh BERT, the attention of its first layer, and its pooler.

    Attention is the identity except in one direction, in which the two token types have opposite signs:
    there it is negated, so that a word attends to similar words of the other text. These are subtracted from
    the word, and the better they match, the smaller the remainder. Position embeddings start at zero, as in
    `harness.encoders.transformer.fresh_transformer`.

    Args:
        model: a BERT for sequence classification with at least one layer, changed in place.
        words: [vocabulary, hidden] word vectors.
    """
    bert, hidden = model.bert, words.shape[1]
    identity = torch.eye(hidden)
    side = torch.nn.functional.normalize(torch.randn(hidden), dim=0)
    length = words.norm(dim=1).mean()
    attention = bert.encoder.layer[0].attention
    with torch.no_grad():
        bert.embeddings.word_embeddings.weight.copy_(words)
        bert.embeddings.position_embeddings.weight.zero_()
        bert.embeddings.token_type_embeddings.weight.copy_(length * torch.stack([side, -side]))
        attention.self.query.weight.copy_(identity - 2 * torch.outer(side, side))
        attention.self.key.weight.copy_(identity)
        attention.self.value.weight.copy_(identity)
        attention.output.dense.weight.copy_(-identity)
        bert.pooler.dense.weight.copy_(identity)


def project_words(words: Tensor, tokens: TokenStore, width: int) -> Tensor:
    """Project word vectors onto the principal directions of the collection's words.

    Words are weighted by occurrences and squared IDF, as in an IDF-weighted mean.

    Args:
        words: [vocabulary, at least `width`] word vectors.
        tokens: token store of the collection.
        width: dimension of the result; vectors of this dimension are returned unchanged.

    Returns:
        [vocabulary, width] word vectors.

    Raises:
        UserError: the vectors have a smaller dimension.
    """
    if words.shape[1] < width:
        raise UserError(
            f"the retriever's word vectors are {words.shape[1]} wide, the ranker {width}",
            fix="give the ranker at most that width",
        )
    if words.shape[1] == width:
        return words
    occurrences = np.bincount(tokens.documents.flat, minlength=tokens.vocabulary)
    weight = torch.from_numpy(occurrences * tokens.idf.astype(np.float64) ** 2)
    wide = words.double()
    directions = torch.linalg.eigh(wide.T @ (weight[:, None] * wide)).eigenvectors.flip(1)[:, :width]
    largest = directions.abs().argmax(dim=0, keepdim=True)
    directions = directions * directions.gather(0, largest).sign()  # else the sign is the library's choice
    narrow: Tensor = wide @ directions
    return narrow.to(words.dtype)
