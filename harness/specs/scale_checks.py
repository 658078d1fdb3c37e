"""What is wrong with a scale beyond the types of its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import get_args

from harness.errors import UserError, nearest
from harness.specs.base import FRESH
from harness.specs.scale import RankerScale, Scale
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
    for at, model in scale.models:
        if isinstance(model, RankerScale) and model.kind != "cross-encoder":
            continue
        if model.start == FRESH and model.published_sizes is not None:
            what = "a fresh model has the sizes that this scale gives it"
            yield yaml_file.error((*at, "published_sizes"), what, f"write them as keys of `{at[-1]}`")
        for key in sorted(model.model_fields_set & set(Sizes._fields)) if model.start != FRESH else ():
            what = f"the checkpoint '{model.start}' has its own {key}"
            fix = "remove it; to plan without the checkpoint, write its sizes below `published_sizes`"
            yield yaml_file.error((*at, key), what, fix)
    yield from _check_vocabulary(yaml_file, (), scale)
    for name in scale.datasets:
        yield from _check_vocabulary(yaml_file, ("datasets", name), scale.on(name))


def check_on_datasets(yaml_file: YamlFile, scale: Scale, datasets: Sequence[str]) -> Iterator[UserError]:
    """Yield what a scale has for a dataset that there is not, or for hardware that it does not have.

    Args:
        yaml_file: the spec file.
        scale: what it says.
        datasets: names of all datasets.
    """
    for name, own in scale.datasets.items():
        if name not in datasets:
            fix = nearest(name, datasets)
            yield yaml_file.error(("datasets", name), f"unknown dataset '{name}'", fix)
        if own.queries_at_once is not None and scale.hardware is None:
            here = ("datasets", name, "queries_at_once")
            yield yaml_file.error(here, "the scale has no `hardware`", "add it, or remove this")


def _check_vocabulary(yaml_file: YamlFile, at: tuple[str, ...], scale: Scale) -> Iterator[UserError]:
    """Check that a vocabulary is learnt for fresh encoders, and for no other."""
    given = yaml_file.at((*at, "tokens")) is not None
    place, vocabulary = (*at, "tokens" if given else "encoder"), scale.tokens.vocabulary
    if scale.encoder.start == FRESH and vocabulary is None:
        what = "a fresh encoder learns a vocabulary"
        fix = "add `vocabulary`, for example 20000" if given else "give it `tokens` with a `vocabulary`"
        yield yaml_file.error(place, what, fix)
    if scale.encoder.start != FRESH and vocabulary is not None and given:
        what = f"the checkpoint '{scale.encoder.start}' has its own vocabulary"
        yield yaml_file.error((*place, "vocabulary"), what, "remove it")


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
