"""What is wrong with a scale beyond the types of its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import get_args

from harness.errors import UserError, nearest
from harness.specs.scale import Scale
from harness.specs.settings import Trains
from harness.specs.yaml_file import YamlFile


def check_substitutes(
    yaml_file: YamlFile, scale: Scale, phases: Callable[[], Sequence[str]]
) -> Iterator[UserError]:
    """Yield substitutes that no phase uses, or that a scale of published numbers has.

    Args:
        yaml_file: the spec file.
        scale: what it says.
        phases: names the phases of all recipes, which are read where a substitute names one.
    """
    if scale.as_published and scale.substitutes:
        what = "a scale that trains as published has no substitutes"
        yield yaml_file.error(("substitutes",), what, "remove them, or `as_published`")
    known: list[str] = list(get_args(Trains))
    if any("/" in key for key in scale.substitutes):
        known += phases()
    for key in scale.substitutes:
        if key not in known:
            what = f"'{key}' is neither what a phase trains nor a phase, <recipe>/<phase>"
            yield yaml_file.error(("substitutes", key), what, nearest(key, known))
