"""What is wrong with a scale beyond the types of its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import get_args

from harness.errors import UserError, nearest
from harness.specs.base import FRESH
from harness.specs.scale import Encoder, RankerScale, Scale
from harness.specs.settings import Sizes, Trains
from harness.specs.yaml_file import YamlFile


def check_substitutes(
    yaml_file: YamlFile, scale: Scale, phases: Callable[[], Sequence[str]], datasets: Sequence[str]
) -> Iterator[UserError]:
    """Yield substitutes that no phase uses, or that a scale of published numbers has.

    Args:
        yaml_file: the spec file.
        scale: what it says.
        phases: names the phases of all recipes, which are read where a substitute names one.
        datasets: names of all datasets.
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
    for key, substitute in scale.substitutes.items():
        for name in substitute.rate if isinstance(substitute.rate, dict) else ():
            if name not in datasets:
                place = ("substitutes", key, "rate", name)
                yield yaml_file.error(place, f"there is no dataset '{name}'", nearest(name, datasets))


def check_checkpoints(yaml_file: YamlFile, scale: Scale) -> Iterator[UserError]:
    """Yield what a scale says of a checkpoint that says it itself, and of a fresh model that has none."""
    models: list[tuple[str, Encoder | RankerScale]] = [("encoder", scale.encoder)]
    models += [("ranker", scale.ranker)] if scale.ranker and scale.ranker.kind == "cross-encoder" else []
    for name, model in models:
        if model.start == FRESH and model.published_sizes is not None:
            what = "a fresh model has the sizes that this scale gives it"
            yield yaml_file.error((name, "published_sizes"), what, f"write them as keys of `{name}`")
        for key in sorted(model.model_fields_set & set(Sizes._fields)) if model.start != FRESH else ():
            what = f"the checkpoint '{model.start}' has its own {key}"
            fix = "remove it; to plan without the checkpoint, write its sizes below `published_sizes`"
            yield yaml_file.error((name, key), what, fix)
    vocabulary = scale.tokens.vocabulary
    if scale.encoder.start == FRESH and vocabulary is None:
        what = "a fresh encoder learns a vocabulary"
        yield yaml_file.error(("tokens",), what, "add `vocabulary`, for example 20000")
    if scale.encoder.start != FRESH and vocabulary is not None:
        what = f"the checkpoint '{scale.encoder.start}' has its own vocabulary"
        yield yaml_file.error(("tokens", "vocabulary"), what, "remove it")


def check_late_interaction(yaml_file: YamlFile, scale: Scale) -> Iterator[UserError]:
    """Yield why a late interaction cannot read the states of a fresh encoder; a checkpoint is seen later."""
    encoder, ranker = scale.encoder, scale.ranker
    if ranker is None or ranker.kind != "late-interaction" or encoder.start != FRESH:
        return
    fix = "give a cross-encoder, or an encoder that pools by cls or mean without a projection"
    if encoder.pooling not in {"cls", "mean"} or encoder.projection is not None:
        what = "a late interaction reads the last layer, of which this encoder's vectors are no mean"
        yield yaml_file.error(("ranker", "kind"), what, fix)
    elif encoder.layers == 0:
        what = "a late interaction reads the last layer, and this encoder has none"
        yield yaml_file.error(("ranker", "kind"), what, "give a cross-encoder, or an encoder with layers")
