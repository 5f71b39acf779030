"""The folder of an exam: what lies where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ExamFolder"]


@dataclass(frozen=True, slots=True)
class ExamFolder:
    """Paths inside an exam folder; nothing is created or required to exist.

    Attributes
    ----------
    root : Path
    """

    root: Path

    @property
    def workbook(self) -> Path:
        """The exam workbook."""
        return self.root / "exam.xlsx"

    @property
    def roster(self) -> Path:
        """The roster as CSV, for exams that do not keep it in the workbook."""
        return self.root / "roster.csv"

    @property
    def layout(self) -> Path:
        """The sheet layout."""
        return self.root / "layout.json"

    @property
    def sheets(self) -> Path:
        """Folder of the sheets to print."""
        return self.root / "sheets"

    @property
    def scans(self) -> Path:
        """Folder of the scanned pages."""
        return self.root / "scans"

    @property
    def database(self) -> Path:
        """The exam database."""
        return self.root / "inkmark.db"

    @property
    def out(self) -> Path:
        """Folder of everything inkmark writes for people."""
        return self.root / "out"
