"""Errors that a person reads: what is wrong, where, and what to do, on one line."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_BREAK = re.compile(r"\s*[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\s*")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of writing, and halves of a surrogate pair."""


class HarnessError(Exception):
    """A failure while working (exit code 1)."""

    exit_code = 1


class UserError(HarnessError):
    """The call, a spec or an input file is wrong (exit code 2)."""

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        self.what, self.where, self.fix = what, where, fix
        text = "".join([f"{where}: " if where else "", what, f"; {fix}" if fix else ""])
        super().__init__(printable(text))


class RunError(UserError):
    """A run failed at what it was told to do; other runs may well succeed (exit code 1)."""

    exit_code = 1


class StoppedError(HarnessError):
    """A run was stopped on purpose before its end; its folder is as after an interrupt."""


class LostRankError(HarnessError):
    """Another process of a run on several is gone; whoever started them says which, and why."""

    exit_code = 75


class SpecErrors(UserError):
    """All errors of a spec file at once, one line each."""

    def __init__(self, errors: list[UserError]) -> None:
        self.errors = errors
        HarnessError.__init__(self, "\n".join(str(error) for error in errors))


def printable(text: str) -> str:
    r"""Return a text on one line in which everything can be seen and encoded.

    Args:
        text: a name, a path or a sentence, from wherever.

    Returns:
        The text with a blank for a line break or tab, and an escape such as ``\x1b`` for what is no letter.
    """
    line = _BREAK.sub(" ", text.strip("\r\n")).replace("\t", " ")
    return UNSEEN.sub(lambda match: ascii(match[0])[1:-1], line)


@contextmanager
def told(what: str, *, where: str | None = None, fix: str | None = None) -> Iterator[None]:
    """Tell whatever a library raises as one line, with the first line of its reason.

    The types that a library raises are not foreseen: it reads what people give it, and fails in many ways.

    Raises:
        UserError: anything was raised; one of ours goes on as it is.
    """
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        raise UserError(f"{what} ({first_line(error)})", where=where, fix=fix) from error


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says, at most 200 letters of it, or else its type."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return textwrap.shorten(lines[0], 200, placeholder=" ...") if lines else type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint for a name that is not known: the nearest valid one, and all of them if few.

    Args:
        name: the one that is not known.
        known: the valid names.

    Returns:
        For example ``did you mean 'simans'? (one of: simans, top-k, uniform)``.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean '{close[0]}'? " if close else ""
    listed = ", ".join(names) if len(names) <= 20 else ", ".join(names[:20]) + ", ..."
    return f"{hint}(one of: {listed})" if names else hint.strip()
