"""All methods by kind and name, derived from their classes and specs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic.fields import FieldInfo

from harness.errors import UserError, nearest
from harness.methods.parameters import MethodParameter, paragraphs, parameters_of
from harness.negatives.presets import presets
from harness.negatives.registry import DRAWS, LAWS, MASKS, SOURCES
from harness.pieces import name_of, parameters_of_class
from harness.specs.library import Library
from harness.specs.recipe import Phase
from harness.specs.settings import POOLINGS
from harness.training.losses.registry import LOSSES
from harness.training.topologies.registry import ALIASES, TOPOLOGIES

KINDS = {
    "source": "where candidates come from",
    "law": "how candidates are weighted",
    "draw": "how n negatives are drawn",
    "topology": "whose negatives count",
    "sampler": "a named combination of source, law, draw and topology",
    "loss": "over the scores of a query's positive and negatives",
    "recipe": "how a retriever is trained",
    "encoder": "from token vectors to one embedding",
}

LETTERS = "s- is s(q, d-), s+ is s(q, d+), s+- is s(d+, d-)"
"""Legend of the laws' formulas."""

LOSS_LETTERS = "s+ is s(q, d+), s- is s(q, d-), s any of them, D the ranker's scores of the same passages"
"""Legend of the losses' formulas."""

FORMULA_OF = {"law": "Weight", "loss": "Loss"}
"""Kind of method -> label of its formula."""

PIECES: dict[str, Mapping[str, type]] = {
    "source": SOURCES,
    "law": LAWS,
    "draw": DRAWS,
    "topology": TOPOLOGIES,
}


@dataclass(frozen=True)
class Method:
    """A source, law, draw, topology, sampler, loss, recipe or encoder.

    Attributes:
        name: name in specs.
        kind: kind of method, a key of `KINDS`.
        summary: description in one line.
        citation: paper and section, or line of the released code.
        parameters: parameters that a spec may set; for a sampler its pieces, for a recipe its settings.
        formula: weight of a law or value of a loss, as text.
        text: explanation, one string for each paragraph.
    """

    name: str
    kind: str
    summary: str
    citation: str
    parameters: tuple[MethodParameter, ...] = ()
    formula: str | None = None
    text: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the method as `harness methods --json` prints it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "summary": self.summary,
            "parameters": [asdict(parameter) for parameter in self.parameters],
            "source": self.citation,
        }


def catalogue(library: Library) -> list[Method]:
    """Return all methods, in the order of `KINDS`."""
    return [*_pieces(PIECES), *_samplers(), *_pieces({"loss": LOSSES}), *_recipes(library), *_encoders()]


def methods_named(library: Library, name: str) -> list[Method]:
    """Return the methods with a name, which several kinds may share.

    Raises:
        UserError: there is none.
    """
    known = catalogue(library)
    matches = [method for method in known if method.name == name]
    if not matches:
        raise UserError(f"unknown method '{name}'", fix=nearest(name, {method.name for method in known}))
    return matches


def written(piece: Any) -> Any:
    """Return a piece as written in a spec: just its name if it has no parameters."""
    if isinstance(piece, Mapping):
        parts = {key: written(value) for key, value in piece.items()}
        return parts["name"] if len(parts) == 1 else parts
    return [written(part) for part in piece] if isinstance(piece, list) else piece


def _pieces(kinds: Mapping[str, Mapping[str, type]]) -> Iterator[Method]:
    for kind, known in kinds.items():
        for name, piece in known.items():
            of: Any = piece
            about = of if name_of(of) == name else ALIASES[name]
            text = paragraphs(piece)
            parameters = {key: of.model_fields[key] for key in parameters_of_class(of)}
            yield Method(
                name,
                kind,
                about.summary,
                about.citation,
                parameters_of(parameters, text),
                getattr(piece, "formula", None),
                (*text, *_described(parameters)),
            )


def _described(parameters: Mapping[str, FieldInfo]) -> Iterator[str]:
    for name, parameter in parameters.items():
        if parameter.description:
            yield f"`{name}`: {parameter.description}"


def _samplers() -> Iterator[Method]:
    for preset in presets().values():
        choices: dict[str, Any] = {kind: written(getattr(preset, kind)) for kind in PIECES}
        if preset.source is None:  # nothing is drawn, so that law and draw are idle
            choices |= {"law": None, "draw": None}
        pieces = tuple(
            MethodParameter(kind, kind, tuple(known), default=choices[kind]) for kind, known in PIECES.items()
        )
        mask = MethodParameter("mask", "mask", tuple(MASKS), default=preset.mask)
        yield Method(preset.name, "sampler", preset.summary, preset.citation, (*pieces, mask))


def _recipes(library: Library) -> Iterator[Method]:
    for name in library.names("recipes"):
        recipe = library.recipe(name)
        phases = tuple(MethodParameter(phase.name, "phase", default=_spelt(phase)) for phase in recipe.phases)
        text = (recipe.departs,) if recipe.departs else ()
        yield Method(name, "recipe", recipe.summary, recipe.citation, phases, text=text)


def _spelt(phase: Phase) -> Any:
    """Return a phase as its file spells it, without its name."""
    return phase.model_dump(mode="json", exclude_unset=True, exclude={"name"})


def _encoders() -> Iterator[Method]:
    for name, pooling in POOLINGS.items():
        yield Method(name, "encoder", pooling.summary, pooling.citation)
