"""Options of analyses, as a user writes them, and the numbers that an analysis can bear."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, get_type_hints

from pydantic import Field, NonNegativeInt, PositiveInt, TypeAdapter, ValidationError

from harness.errors import UserError, nearest

Visits = Annotated[PositiveInt, Field(le=1_000)]
"""Draws of each pair, which are held all at once."""
Ranks = Annotated[PositiveInt, Field(le=100_000)]
"""Ranks from the first; a collection has fewer."""
Some = Annotated[PositiveInt, Field(le=10_000_000)]
"""Number of queries or pairs; of those that there are, if it is more."""
LONGEST = 60
"""Letters of what was written that a message shows."""

SomeOrNone = Annotated[NonNegativeInt, Field(le=10_000_000)]


def usual_options(make: Callable[..., Any]) -> dict[str, Any]:
    """Return the options of an analysis, which are the keywords of its function, with their defaults."""
    return {
        key: parameter.default
        for key, parameter in inspect.signature(make).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def read_options(make: Callable[..., Any], name: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return the options of an analysis by name.

    Args:
        make: its function, whose keywords with their types are its options.
        name: its name, for the error message.
        texts: as written, `key=value`.

    Raises:
        UserError: no such option, or a value that is not of its type or out of its range.
    """
    types = get_type_hints(make, include_extras=True)
    usual = usual_options(make)
    values = {}
    for text in texts:
        key, equals, value = text.partition("=")
        what = f"--with {text[:LONGEST] + '...' * (len(text) > LONGEST) or repr(text)}"
        if not equals or key not in usual:
            raise UserError(
                f"{what}: no such option of {name}", fix=nearest(key, usual) or f"{name} has none"
            )
        try:
            values[key] = TypeAdapter(types[key]).validate_strings(value)
        except ValidationError as error:
            expected = error.errors()[0]["msg"].removeprefix("Input should be ")
            fix = f"write for example --with {key}={usual[key]}"
            raise UserError(f"{what}: expected {expected}", fix=fix) from error
    return values
