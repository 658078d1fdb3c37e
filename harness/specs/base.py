"""What the models of all spec files have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _on_one_line(text: str) -> str:
    if len(text.splitlines()) > 1 or text.endswith("\n"):
        raise ValueError("a name has a line break; write it on one line")
    return text


Name = Annotated[str, AfterValidator(_on_one_line)]
"""What rows, columns, tables and figures are called."""

Share = Annotated[float, Field(ge=0, lt=1)]


class Spec(BaseModel):
    """What all spec files are."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
