"""What a reader saw on a page: plain values that pickle, with no pixels in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inkmark.geometry import Box, apply_homography

__all__ = [
    "CodeReading",
    "FieldReading",
    "Flag",
    "IssueKind",
    "PageSource",
    "Registration",
    "SheetIssue",
    "SheetReading",
    "ShiftMesh",
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
    """The field lies outside the image, its print is not to be seen, or its ink or code
    cannot be read."""
    CONTESTED = "contested"
    """Another image of the page shows something else, or was decided otherwise. No reader sees
    this: the database says it of what it gives, whatever the reading would mean alone."""


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
        Darkness of each bubble beyond that of an empty one, 0 to 1 in steps of 0.0001, in
        option order (grids: column after column). Empty for other fields.
    box_px : Box
        The field in the source image, in pixels of the page as it was scanned: the crop
        that shows the evidence.
    choices : tuple of tuple of (str, float)
        What else may be written there, with probabilities, likeliest first; those below
        0.0005 are left out. For a candidate grid and a field of boxes one entry a group or
        box: ``""`` is blank and ``"?"`` none of the symbols (a scribble, crossed out). For
        one wide box of words or numbers one entry a step of connectionist temporal
        classification (CTC), where ``""`` is its blank; the steps of a second reader follow
        after an entry of a line feed, see `inkmark.ctc.opinions`. For points and totals that
        markers wrote one entry with whole values, ``"7.5"``: ``""`` is an empty box and ``"?"`` no
        number. Empty for other fields.
    """

    field: str
    value: str
    confidence: float
    flag: Flag
    fill: tuple[float, ...]
    box_px: Box
    choices: tuple[tuple[tuple[str, float], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class CodeReading:
    """A decoded QR code or barcode: its field, its text and where it was seen."""

    field: str
    text: str
    format: str
    box_px: Box


@dataclass(frozen=True, slots=True)
class ShiftMesh:
    """Small local shifts of a sheet that no homography follows: feeder stretch, curl.

    Shifts are given at the knots of a rectangular mesh and are bilinear between them;
    beyond the outermost knots they stay as they are there.

    Attributes
    ----------
    x_mm, y_mm : tuple of float
        Ascending knots, ``nx`` and ``ny`` of them.
    dx_mm, dy_mm : tuple of float
        Shift at each knot, ``ny * nx`` values row by row. A sheet position ``p`` is seen
        where the homography puts ``p + shift(p)``.
    """

    x_mm: tuple[float, ...]
    y_mm: tuple[float, ...]
    dx_mm: tuple[float, ...]
    dy_mm: tuple[float, ...]

    def shift(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Shift at sheet positions, (n, 2) to (n, 2), in mm."""
        xy = np.atleast_2d(np.asarray(points_mm, dtype=np.float64))
        x, y = np.asarray(self.x_mm), np.asarray(self.y_mm)
        column, across = _segment(x, xy[:, 0])
        row, down = _segment(y, xy[:, 1])
        right = np.minimum(column + 1, len(x) - 1)
        below = np.minimum(row + 1, len(y) - 1)
        result = np.empty_like(xy)
        for axis, values in enumerate((self.dx_mm, self.dy_mm)):
            at = np.asarray(values).reshape(len(y), len(x))
            upper = at[row, column] * (1 - across) + at[row, right] * across
            lower = at[below, column] * (1 - across) + at[below, right] * across
            result[:, axis] = upper * (1 - down) + lower * down
        return result


def _segment(
    knots: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    if len(knots) == 1:
        return np.zeros(len(values), dtype=np.intp), np.zeros(len(values))
    index = np.clip(np.searchsorted(knots, values, side="right") - 1, 0, len(knots) - 2)
    share = (values - knots[index]) / (knots[index + 1] - knots[index])
    return index, np.clip(share, 0.0, 1.0)


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
        Held-out error: root mean square distance of the timing marks from where their
        neighbours say they are, each left out of its own prediction. For our own sheets
        without timing marks the distance of the key mark from where the squares put it. For
        sheets of other systems it is that of the bubbles' print, taken as a whole, from where
        the homography puts it, and of features from those of a reference picture: what the
        anchors miss and what the template has wrong. Where on our own sheets the bubbles'
        outlines corrected the registration it is that of blocks of bubbles from where the
        other blocks put them, if that is more.
    anchors_found, anchors_expected : int
        How many anchors were seen, of how many.
    shifts : ShiftMesh or None
        Local shifts on top of the homography; None where there are none.
    lost : tuple of str
        Names of the bubble fields that may not be where the registration puts them.
    """

    orientation_deg: int
    homography: tuple[float, ...]
    residual_mm: float
    anchors_found: int
    anchors_expected: int
    shifts: ShiftMesh | None = None
    lost: tuple[str, ...] = ()

    def to_px(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Where sheet positions are in the image: (n, 2) mm to (n, 2) pixels."""
        xy = np.atleast_2d(np.asarray(points_mm, dtype=np.float64))
        if self.shifts is not None:
            xy = xy + self.shifts.shift(xy)
        return apply_homography(np.asarray(self.homography).reshape(3, 3), xy)


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
    SET_ASIDE = "set aside"
    """A person decided that the page is nobody's."""
    WITHDRAWN = "withdrawn"
    """The page's file was taken out of the exam's scans."""


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
    edge_mm : float or None
        Width of the edges of print and marks, by which a sharp page is told from a blurred
        one; None where it was not measured.
    """

    source: PageSource
    width_px: int
    height_px: int
    dpi: float
    page_number: int
    registration: Registration
    fields: tuple[FieldReading, ...]
    codes: tuple[CodeReading, ...]
    edge_mm: float | None = None
