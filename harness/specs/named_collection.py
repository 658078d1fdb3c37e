"""A collection of one's own as a command names it: ``beir:PATH``, ``ir:ID`` and the like."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any, cast

from pydantic import TypeAdapter

from harness.collections.collection import OwnKind
from harness.collections.layouts.registry import KINDS, PLACE, name_of, open_layout
from harness.errors import UserError, nearest
from harness.specs.collection_choice import CollectionChoice, OwnChoice
from harness.storage.places import data_folder

BARE = "beir"
"""The kind whose folders were named before there were others."""

_WRITTEN = re.compile(r"(?:(?P<dataset>[\w-]+)=)?(?P<kind>[\w-]+):(?P<place>.+)", re.DOTALL)
_CHOICE: TypeAdapter[Any] = TypeAdapter(CollectionChoice)


@dataclass(frozen=True)
class NamedCollection:
    """A collection that a command names.

    Attributes:
        kind: its layout, a name of `KINDS`.
        place: path of its folder or archive, or its id.
    """

    kind: OwnKind
    place: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.place}"

    @property
    def title(self) -> str:
        """Its name without its kind."""
        return name_of(self.kind, self.place)

    @property
    def name(self) -> str:
        """Its name as tables print it."""
        return f"{self.kind}/{self.title}"

    @property
    def whole_place(self) -> str:
        """Where it is, whatever the working folder; of other kinds than BEIR with the kind before it."""
        if self.kind == "ir":
            return str(self)
        path = str(data_folder(self.place).resolve())
        return path if self.kind == BARE else f"{self.kind}:{path}"

    def choice(self) -> OwnChoice:
        """Return it as a dataset's spec has it: with titles, and measured on test, or else on dev.

        Raises:
            UserError: it is no collection.
        """
        return self.served()[0]

    def served(self) -> tuple[OwnChoice, bool]:
        """Return it as a dataset's spec has it, and whether what is measured has judgements.

        Raises:
            UserError: it is no collection.
        """
        parameters = {PLACE[self.kind]: self.place, "titles": True}
        layout = open_layout(self.kind, parameters)
        measured = "test" if "test" in layout.splits else "dev"
        given = {"kind": self.kind, "parameters": parameters, "measured": measured}
        chosen: OwnChoice = _CHOICE.validate_python(given)
        return chosen, measured not in layout.unjudged


def read_option(text: str, where: str | None = None) -> tuple[str, NamedCollection]:
    """Return dataset ("" for the one of a target) and collection of an option.

    Args:
        text: ``KIND:PLACE`` or ``DATASET=KIND:PLACE``.
        where: what it is written in, for errors, where it is no option.

    Raises:
        UserError: it is not written so, or there is no such kind.
    """
    written, where = _WRITTEN.fullmatch(text), where or option(text)
    if written is None:
        what = f"'{text}' names no kind of collection"
        fix = f"write beir:PATH, or DATASET=beir:PATH; other kinds are {', '.join(KINDS)}"
        raise UserError(what, where=where, fix=fix)
    if written["kind"] not in KINDS:
        what = f"'{written['kind']}' is no kind of collection that a command names"
        raise UserError(what, where=where, fix=nearest(written["kind"], KINDS))
    return written["dataset"] or "", NamedCollection(cast("OwnKind", written["kind"]), written["place"])


def option(text: str) -> str:
    """Return the option of a command that names a collection."""
    return f"--collection {shlex.quote(text)}"
