"""What the files of a `SentenceTransformer` say beside its weights: read, or refused if it matters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.collections.checkpoint_place import located
from harness.collections.tokenizer import PROMPTS, an_object, checkpoint_json, prompts, sentence_config
from harness.errors import UserError

_OLD_POOLING = {"cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens"}
"""Pooling -> its key in older configurations, without `pooling_mode`."""

_KINDS = tuple(
    ["Transformer", "Pooling", *dense, *last]
    for dense in ([], ["Dense"], ["Dense", "LayerNorm"])
    for last in ([], ["Normalize"])
)

_READ = {"max_seq_length", "do_lower_case", "unpad_inputs"}
_AS_USUAL: dict[str, Any] = {
    "transformer_task": "feature-extraction",
    "module_output_name": "token_embeddings",
    "config_args": {"output_hidden_states": True},
}
"""Key of an encoder's settings -> the value with which it changes nothing, beside an empty one."""


class SentenceFiles(NamedTuple):
    """What the files say.

    Attributes:
        root: folder or hub id of the encoder and its tokenizer.
        pooling: ``cls`` or ``mean``; None if there is no configuration of pooling.
        normalised: whether embeddings are divided by their length.
        longest: maximal length of a text in tokens, if it is said.
        dense: folders of a `Dense` over the pooled vector and of a `LayerNorm` after it, as far as there are.
    """

    root: str
    pooling: str | None
    normalised: bool
    longest: int | None
    dense: tuple[str, ...] = ()


def sentence_files(start: str) -> SentenceFiles:
    """Read the files of a folder or hub id, none of which has to be there.

    Raises:
        UserError: they say something that is not read here and changes embeddings or scores.
    """
    modules = checkpoint_json(start, "modules.json")
    root, pooling, normalised = start, None, False
    dense: tuple[str, ...] = ()
    if modules is not None:
        entries = _modules(modules, start)
        root = _root(start, entries[0]["path"])
        pooling = _pooling(start, entries[1]["path"])
        last = entries[-1]
        normalised = _kind(last) == "Normalize"
        if normalised:
            _refuse_other_vectors(start, last["path"])
        dense = tuple(of["path"] for of in entries if _kind(of) in ("Dense", "LayerNorm"))
    _refuse_scores(start, normalised, whole=modules is not None)
    if prompts(start) and root != start:
        what = f"it puts prompts before texts, and its encoder lies in {Path(root).name}"
        raise UserError(what, where=start, fix="save it again with SentenceTransformer")
    return SentenceFiles(root, pooling, normalised, _longest(root), dense)


def _modules(content: Any, start: str) -> list[dict[str, str]]:
    """Return the modules of a checkpoint, of which each has a type and a path."""
    try:
        modules = [{"type": str(of["type"]), "path": str(of["path"])} for of in content]
    except (TypeError, KeyError) as error:
        what = "modules.json is no list of modules with a type and a path"
        raise UserError(what, where=start, fix="save the encoder again") from error
    kinds = [_kind(module) for module in modules]
    foreign = [of["type"] for of in modules if not of["type"].startswith("sentence_transformers.")]
    if kinds not in _KINDS or foreign:
        named = ", ".join(foreign or kinds)
        most = "Transformer, Pooling, then at most Dense, LayerNorm and Normalize"
        fix = f"give one of {most}, all of sentence_transformers"
        raise UserError(f"its modules are {named}", where=start, fix=fix)
    return modules


def _kind(module: Mapping[str, str]) -> str:
    return module["type"].rpartition(".")[2]


def _root(start: str, path: str) -> str:
    return str(Path(located(start)) / path) if path else start


def _pooling(start: str, path: str) -> str:
    name = f"{path}/config.json"
    settings = an_object(checkpoint_json(start, name) or {}, start, name)
    old_poolings = [name for name, key in _OLD_POOLING.items() if settings.get(key)]
    others = [key for key, value in settings.items() if value is True and key.startswith("pooling_mode")]
    if settings.get("include_prompt") is False and prompts(start):
        what = "it leaves its prompts out of pooling, which is not read here"
        raise UserError(what, where=start, fix="give one that pools over all tokens")
    pooling = settings.get("pooling_mode") or (
        old_poolings[0] if len(others) == 1 == len(old_poolings) else None
    )
    if not isinstance(pooling, str) or pooling not in _OLD_POOLING:
        what = f"its pooling is {pooling or ', '.join(others) or 'missing'}"
        raise UserError(what, where=start, fix="give one that pools by cls or mean")
    return pooling


def _refuse_other_vectors(start: str, path: str) -> None:
    """Refuse a Normalize that is of other vectors than the pooled one."""
    name = f"{path}/config.json"
    settings = an_object(checkpoint_json(start, name) or {}, start, name)
    other = {value for value in settings.values() if value not in (None, "sentence_embedding")}
    if other:
        what = f"it normalises {', '.join(sorted(map(str, other)))}, and not the embedding alone"
        raise UserError(what, where=start, fix=f"give one without settings in {name}")


def _refuse_scores(start: str, normalised: bool, *, whole: bool) -> None:
    """Refuse scores that are no inner products."""
    name = PROMPTS
    settings = an_object(checkpoint_json(start, name) or {}, start, name)
    similarity = settings.get("similarity_fn_name")
    if similarity in (None, "dot") or (similarity == "cosine" and (normalised or not whole)):
        return
    if similarity == "cosine":
        what = "its scores are cosines, and its embeddings are not normalised"
        said = f"set similarity_fn_name in {name} to dot"
        fix = f"add a Normalize module, or, where it was trained on inner products, {said}"
        raise UserError(what, where=start, fix=fix)
    what = f"its scores are of kind {similarity}"
    raise UserError(what, where=start, fix="give one that was trained on inner products or cosines")


def _longest(root: str) -> int | None:
    """Return the longest text in tokens that the settings beside an encoder allow."""
    settings = sentence_config(root)
    for key, value in settings.items():
        if key not in _READ and value and value != _AS_USUAL.get(key) and not _of_text(key, value):
            what = f"its setting `{key}` is not read here, and may change embeddings"
            raise UserError(what, where=root, fix="give one without")
    longest = settings.get("max_seq_length")
    if longest is None:
        return None
    if not isinstance(longest, int) or isinstance(longest, bool) or longest < 1:
        raise UserError(f"max_seq_length is {longest!r}", where=root, fix="write a whole number above 0")
    return longest


def _of_text(key: str, value: Any) -> bool:
    """Return whether a setting says of texts what `SentenceTransformer` writes for every encoder of texts."""
    usual = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
    return key == "modality_config" and value == usual
