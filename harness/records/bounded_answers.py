"""A bound on what a tracking server may answer: MLflow reads an answer whole, whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

LARGEST_ANSWER = 64_000_000
"""Bytes; a page of a thousand runs with all their params and tags takes a few million."""

_hosts: set[str | None] = set()


def bound_answers(address: str) -> None:
    """End answers of a server once they are larger than `LARGEST_ANSWER`, with an OSError.

    Requests of this process to other servers are left alone, and so is what is downloaded as a stream.

    Args:
        address: MLflow's tracking address.
    """
    if address.startswith(("http://", "https://")):
        _hosts.add(urlsplit(address).hostname)
        _watch_requests()


@cache
def _watch_requests() -> None:
    """Watch what MLflow's sessions send, which it gives to nobody."""
    from requests.adapters import HTTPAdapter  # noqa: PLC0415  (behind MLflow, which takes seconds)

    send = HTTPAdapter.send

    def watched(self: HTTPAdapter, request: Any, stream: bool = False, *more: Any, **named: Any) -> Any:
        response = send(self, request, stream, *more, **named)
        if not stream and urlsplit(request.url).hostname in _hosts:
            response.raw.stream = _bounded(response.raw.stream)
        return response

    HTTPAdapter.send = watched  # type: ignore[method-assign]


def _bounded(stream: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    """Return a reading of an answer, part by part, that ends if there is too much of it."""

    def parts(*size: Any, **how: Any) -> Iterator[bytes]:
        read = 0
        for part in stream(*size, **how):
            read += len(part)
            if read > LARGEST_ANSWER:
                raise OSError(f"an answer of more than {LARGEST_ANSWER / 1e6:g} MB")
            yield part

    return parts
