"""Columns of workbooks that went to people and come back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inkmark.errors import Fault, FaultyFileError
from inkmark.exam.tables import Table, fold
from inkmark.reports.words import words

__all__ = ["find_columns"]


def find_columns(
    path: Path, table: Table, keys: Iterable[str], needed: Iterable[str]
) -> dict[str, int]:
    """Find columns by their headings in either language.

    Parameters
    ----------
    path : Path
        Named where something is wrong.
    table : Table
    keys : iterable of str
        Words of the headings, by their keys.
    needed : iterable of str
        Those that have to be there.

    Returns
    -------
    dict of str to int
        Key of the heading -> place of the column.

    Raises
    ------
    FaultyFileError
        Where one that is needed is missing.
    """
    titles = {fold(words(language)[key]): key for language in ("zh", "en") for key in keys}
    columns = {
        titles[fold(cell.text)]: place
        for place, cell in enumerate(table.header)
        if fold(cell.text) in titles
    }
    missing = [key for key in needed if key not in columns]
    if missing:
        names = ", ".join(f"{words('en')[key]} ({words('zh')[key]})" for key in missing)
        raise FaultyFileError(path, [Fault(table.name, f"columns are missing: {names}")])
    return columns
