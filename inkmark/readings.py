"""What a reader saw on a page: plain values that pickle, with no pixels in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inkmark.geometry import Box

__all__ = [
    "CodeReading",
    "FieldReading",
    "Flag",
    "IssueKind",
    "PageSource",
    "Registration",
    "SheetIssue",
    "SheetReading",
]


@dataclass(frozen=True, slots=True, order=True)
class PageSource:
    """Where a page image comes from.

    Attributes
    ----------
    path : str
        The file, as given or found.
    page_index : int
        0-based page inside the file; 0 for a single image.
    sha256 : str
        Hash of the file's bytes in hexadecimal; with `page_index` the page's identity.
    """

    path: str
    page_index: int
    sha256: str

    def __str__(self) -> str:
        return self.path if self.page_index == 0 else f"{self.path} page {self.page_index + 1}"


class Flag(StrEnum):
    """Why a person should look at a field."""

    OK = ""
    SEVERAL = "several"
    """More marks than the field allows."""
    DOUBTFUL = "doubtful"
    """At least one bubble is neither clearly marked nor clearly blank."""
    UNREADABLE = "unreadable"
    """The field lies outside the image, or its ink or code cannot be read."""


@dataclass(frozen=True, slots=True)
class FieldReading:
    """One field of a sheet as it was read.

    Attributes
    ----------
    field : str
        Name of the field in the layout.
    value : str
        Marked options in option order without separator (``"AC"``); multi-character
        options are joined by ``|``. Empty when blank. In a grid one symbol a column and
        ``?`` for a column without exactly one certain mark.
    confidence : float
        Probability that `value` is what a careful person would read, 0 to 1.
    flag : Flag
        ``Flag.OK`` where nobody needs to look.
    fill : tuple of float
        Darkness of each bubble beyond that of an empty one, 0 to 1, in option order
        (grids: column after column). Empty for other fields.
    box_px : Box
        The field in the source image, in pixels of the page as it was scanned: the crop
        that shows the evidence.
    """

    field: str
    value: str
    confidence: float
    flag: Flag
    fill: tuple[float, ...]
    box_px: Box


@dataclass(frozen=True, slots=True)
class CodeReading:
    """A decoded QR code or barcode: its field, its text and where it was seen."""

    field: str
    text: str
    format: str
    box_px: Box


@dataclass(frozen=True, slots=True)
class Registration:
    """How a sheet lies in the image.

    Attributes
    ----------
    orientation_deg : int
        Clockwise turn of the printed sheet in the image: 0, 90, 180 or 270.
    homography : tuple of 9 float
        Sheet millimetres to image pixels, row by row.
    residual_mm : float
        Root mean square distance of the anchors (corner and timing marks) from where the
        homography puts them.
    anchors_found, anchors_expected : int
        How many anchors were seen, of how many.
    """

    orientation_deg: int
    homography: tuple[float, ...]
    residual_mm: float
    anchors_found: int
    anchors_expected: int


class IssueKind(StrEnum):
    """What can be wrong with a page of a batch."""

    UNREADABLE_FILE = "unreadable file"
    UNREGISTERED = "unregistered"
    """The sheet's marks were not found, or do not fit the layout."""
    UNIDENTIFIED = "unidentified"
    """Whose or which page it is could not be read."""
    UNKNOWN_CANDIDATE = "unknown candidate"
    OTHER_EXAM = "other exam"
    OTHER_VERSION = "other sheet version"
    DUPLICATE_IMAGE = "duplicate image"
    """The very same image again."""
    DUPLICATE_PAGE = "duplicate page"
    """Another image of a page that is there already, or a second sheet of a candidate."""
    DOUBTFUL = "doubtful"
    """The page was read, but a field of it needs a look."""
    MISSING_PAGE = "missing page"
    """A candidate's page that was expected and not received."""


@dataclass(frozen=True, slots=True)
class SheetIssue:
    """Something about a page that a person has to settle.

    Attributes
    ----------
    kind : IssueKind
    source : PageSource or None
        None where a page is missing.
    message : str
        What is wrong and what to do.
    candidate : str
        Candidate number where known.
    page_number : int
        0-based page of the layout; -1 where unknown.
    """

    kind: IssueKind
    source: PageSource | None
    message: str
    candidate: str = ""
    page_number: int = -1


@dataclass(frozen=True, slots=True)
class SheetReading:
    """Everything read from one page image.

    Attributes
    ----------
    source : PageSource
    width_px, height_px : int
        Size of the page image as it was scanned.
    dpi : float
        Resolution by the registration (pixels an inch of paper).
    page_number : int
        0-based page of the layout.
    registration : Registration
    fields : tuple of FieldReading
    codes : tuple of CodeReading
    """

    source: PageSource
    width_px: int
    height_px: int
    dpi: float
    page_number: int
    registration: Registration
    fields: tuple[FieldReading, ...]
    codes: tuple[CodeReading, ...]
