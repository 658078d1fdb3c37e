"""The harvested collections: from which packages, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass

from harness.collections.harvested.code import read_code
from harness.collections.harvested.modules import read_modules
from harness.collections.harvested.names import HarvestName
from harness.collections.harvested.page import Rule
from harness.collections.harvested.reference import read_reference
from harness.collections.pydocs.packages import PACKAGES

_OTHERS = """
aiohttp alembic anyio attrs cachetools click cryptography databricks-sdk docker fastapi flask fonttools fsspec
gitpython google-auth graphql-core huggingface-hub jinja2 joblib narwhals opentelemetry-sdk pillow
protobuf pyarrow pydantic pygments pyparsing requests rich skops sqlparse starlette tqdm typer urllib3
werkzeug
"""
REFERENCE: tuple[str, ...] = (*_OTHERS.split(),)
"""Direct and indirect dependencies of which `pydocs` has nothing."""

_TEMPLATES = ("databricks-sdk",)  # most of its functions have the same code


@dataclass(frozen=True)
class Harvest:
    """How a harvested collection is made.

    Attributes:
        packages: distributions that are read, each pinned, none of an extra.
        rule: makes pages and questions of a source file.
        fingerprint: that of the collection on which the committed figures were made.
    """

    packages: tuple[str, ...]
    rule: Rule
    fingerprint: str


HARVESTS: dict[HarvestName, Harvest] = {
    "pyreference": Harvest(REFERENCE, read_reference, "d5358f72a21ad67f"),
    "pycode": Harvest(
        tuple(package for package in (*PACKAGES, *REFERENCE) if package not in _TEMPLATES),
        read_code,
        "7deb66ead0135120",
    ),
    "pymodules": Harvest((*PACKAGES, *REFERENCE, "transformers"), read_modules, "85bcc44db1c7df0d"),
}
"""Name of a harvested collection -> how it is made."""
