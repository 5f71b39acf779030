"""Whether a written answer is one of the accepted ones."""

from __future__ import annotations

from collections.abc import Iterable

from inkmark.exam.answers import parse_answer
from inkmark.exam.numerals import plain_writing

__all__ = ["is_accepted"]

_MOST_WRITTEN = 500


def is_accepted(key: Iterable[str], written: str) -> bool:
    """Whether a written answer says the same as one of the accepted answers.

    Parameters
    ----------
    key : iterable of str
        The accepted answers as they stand in the workbook; see `parse_answer`.
    written : str
        What somebody wrote. Texts of more than 500 characters are never accepted.
    """
    if len(written) > _MOST_WRITTEN:
        return False
    plain = plain_writing(written)
    return bool(plain) and any(parse_answer(answer).accepts(plain) for answer in key)
