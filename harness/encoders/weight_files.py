"""Weights by name from a file or folder that somebody released; code in it never runs."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from harness.collections.checkpoint_place import POOLER, POOLER_CONFIG
from harness.collections.tokenizer import LFS
from harness.errors import UserError, told
from harness.storage.files import read_object

HELD = ("model_dict", "state_dict", "model_state_dict", "model")
"""Keys below which a file has its weights, beside moments and counters: DPR's, Lightning's and others."""

_FILES = ("model.safetensors", "pytorch_model.bin")
_WRAPPED = "module."
_DOWNLOAD = "download it again, whole and unpacked"


def read_weights(place: Path) -> dict[str, Tensor]:
    """Return the weights of a file, or of a folder of `transformers` or Tevatron, by name.

    Of Tevatron's folder the names are those in its model: `lm_q.`, `lm_p.` and `pooler.`.

    Raises:
        UserError: there are none, they cannot be read, or reading them would run code.
    """
    if not place.is_dir():
        return _of_file(place)
    if (place / POOLER_CONFIG).is_file() and not (place / POOLER).is_file():
        what = f"it has a {POOLER_CONFIG} and no {POOLER}, the maps over its vectors"
        raise UserError(what, where=str(place), fix=_DOWNLOAD)
    query, passage = place / "query_model", place / "passage_model"
    if not (place / POOLER).is_file() and not (query.is_dir() and passage.is_dir()):
        return _of_folder(place)
    towers = {"lm_q": query, "lm_p": passage} if query.is_dir() else {"lm_q": place, "lm_p": place}
    read = {folder: _of_folder(folder) for folder in set(towers.values())}
    weights = {f"{name}.{key}": one for name, folder in towers.items() for key, one in read[folder].items()}
    above = _of_file(place / POOLER) if (place / POOLER).is_file() else {}
    return weights | {f"pooler.{key}": one for key, one in above.items()}


def _of_folder(folder: Path) -> dict[str, Tensor]:
    """Return the weights of a folder of `transformers`, in one file or in several."""
    for name in _FILES:
        if (folder / name).is_file():
            return _of_file(folder / name)
        index = folder / f"{name}.index.json"
        if index.is_file():
            parts = read_object(index).get("weight_map")
            if not isinstance(parts, dict) or not all(isinstance(part, str) for part in parts.values()):
                raise UserError("it names no files of weights", where=str(index), fix=_DOWNLOAD)
            files = [folder / Path(part).name for part in sorted(set(parts.values()))]
            return {key: one for file in files for key, one in _of_file(file).items()}
    what = f"it has no weights, neither {_FILES[0]} nor {_FILES[1]}"
    raise UserError(what, where=str(folder), fix="give a folder of `transformers`, or the file of weights")


def _of_file(file: Path) -> dict[str, Tensor]:
    saved = _loaded(file)
    held = [saved, *(saved.get(key) for key in HELD)] if isinstance(saved, Mapping) else []
    found = next((weights for weights in held if _are_weights(weights)), None)
    if found is None:
        what = f"it has no weights by name, neither itself nor below {', '.join(f'`{key}`' for key in HELD)}"
        raise UserError(what, where=str(file), fix="give the file of the model, as it was released")
    weights = {str(name): one for name, one in found.items()}
    wrapped = all(name.startswith(_WRAPPED) for name in weights)  # by DistributedDataParallel
    return {name.removeprefix(_WRAPPED) if wrapped else name: one for name, one in weights.items()}


def _loaded(file: Path) -> Any:
    """Return what a file holds: tensors and plain values alone.

    Raises:
        UserError: it cannot be read, or reading it would run code.
    """
    if not file.is_file():
        raise UserError("no such file", where=str(file), fix="give the path of a released checkpoint")
    with told("no checkpoint could be read", where=str(file), fix=_DOWNLOAD):
        with file.open("rb") as opened:
            if opened.read(len(LFS)) == LFS:
                what = "it stands for a file that git-lfs has not fetched"
                raise UserError(what, where=str(file), fix="run `git lfs pull` there")
        if file.suffix == ".safetensors":
            return load_file(file)
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            code = re.search(r"GLOBAL (\S+)", str(error))
            if code is None:
                raise
            what = f"no checkpoint could be read: it is a pickle that would run code ({code[1]})"
            fix = "give a file whose weights are saved as tensors by name"
            raise UserError(what, where=str(file), fix=fix) from error


def _are_weights(weights: Any) -> bool:
    return (
        isinstance(weights, Mapping)
        and len(weights) > 0
        and all(isinstance(one, Tensor) for one in weights.values())
    )


def names_text(names: Iterable[str]) -> str:
    """Return the first of some names, and how many others there are, as part of a sentence."""
    first, *others = sorted(names)
    shown = [first, *others[: _SHOWN - 1]]
    more = len(others) + 1 - len(shown)
    return ", ".join(shown) + (f" and {more} other{'s' if more > 1 else ''}" if more else "")


_SHOWN = 3
