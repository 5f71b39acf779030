"""The text of the QR code that says which sheet a page is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inkmark.errors import LayoutError

__all__ = ["SheetCode"]

# All of it is in QR's alphanumeric mode (ISO/IEC 18004, 7.4.4), so the code stays small.
_TEXT = re.compile(
    r"IM1:(?P<exam>[A-Z0-9-]{1,16}):(?:(?P<candidate>[A-Z0-9-]{0,24})|\*(?P<serial>[A-Z0-9]{1,16}))"
    r":(?P<page>[1-9][0-9]{0,2}):(?P<version>[0-9A-F]{8})"
)


@dataclass(frozen=True, slots=True)
class SheetCode:
    """Whose page of which exam a printed side is.

    Attributes
    ----------
    exam : str
        Exam id: 1 to 16 of ``A-Z 0-9 -``.
    candidate : str
        Candidate number: up to 24 of ``A-Z 0-9 -``; empty on a blank sheet.
    page : int
        0-based page of the layout, below 999; the text says it 1-based.
    version : str
        `SheetLayout.version`: eight of ``0-9 A-F``.
    serial : str
        Serial number of a blank sheet, up to 16 of ``A-Z 0-9``: it holds the pages of the
        sheet together, and tells it from other sheets with the same number. Only without
        `candidate`; empty on a sheet that is to be copied.
    """

    exam: str
    candidate: str
    page: int
    version: str
    serial: str = ""

    def encode(self) -> str:
        """Text for the code: ``IM1:EXAM:CANDIDATE:PAGE:VERSION``.

        A blank sheet has ``*SERIAL`` in place of the candidate.

        Raises
        ------
        LayoutError
            Where a part holds characters that the code cannot carry.
        """
        who = f"{self.candidate}*{self.serial}" if self.serial else self.candidate
        text = f"IM1:{self.exam}:{who}:{self.page + 1}:{self.version}"
        if _TEXT.fullmatch(text) is None:
            raise LayoutError(
                f"the sheet code {text!r} cannot be printed. Use an exam id of at most 16 and "
                "candidate numbers of at most 24 characters out of A-Z, 0-9 and the hyphen."
            )
        return text

    @classmethod
    def parse(cls, text: str) -> SheetCode | None:
        """The code in a text; None where the text is anything else."""
        match = _TEXT.fullmatch(text)
        if match is None:
            return None
        return cls(
            match["exam"],
            match["candidate"] or "",
            int(match["page"]) - 1,
            match["version"],
            match["serial"] or "",
        )
