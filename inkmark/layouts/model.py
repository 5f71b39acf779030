"""Answer sheets in millimetres.

A `SheetLayout` says what is printed where; it does not say what is right (that is the
exam's key) nor whose sheet it is (that is read from the sheet). Positions are in
millimetres on the printed page, origin top left, x right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import Box

__all__ = [
    "CHARSETS",
    "AnchorKind",
    "Anchors",
    "AnswerField",
    "AreaField",
    "BoxFrame",
    "BubbleField",
    "BubbleShape",
    "CodeField",
    "Field",
    "FullBox",
    "JoinedField",
    "MarkShape",
    "PageLayout",
    "PointsField",
    "Role",
    "SheetLayout",
    "WritingField",
]


class BubbleShape(StrEnum):
    """Outline of a printed bubble."""

    OVAL = "oval"
    """Ellipse inscribed in the bubble's box; round where width equals height."""
    RECTANGLE = "rectangle"


class FullBox(StrEnum):
    """What a completely filled bubble means: the convention of the form."""

    MARKED = "marked"
    """The strongest mark."""
    CANCELLED = "cancelled"
    """A mark taken back: a cross or a tick marks, filling the box cancels it."""


class Role(StrEnum):
    """What a field is for."""

    ITEM = "item"
    """Answers one item of the exam; `item` names it."""
    CANDIDATE = "candidate"
    """Says who the candidate is."""
    ABSENT = "absent"
    """Filled by the invigilator when the candidate is absent."""
    PAGE = "page"
    """Identifies exam, candidate, page and sheet version (the QR code)."""
    POINTS = "points"
    """Points that a marker wrote or ticked for `item` (先阅后扫)."""
    TOTAL = "total"
    """The sum of points that a marker wrote on the sheet."""
    OTHER = "other"

    @property
    def is_of_marker(self) -> bool:
        """Whether a marker writes in the field, not the candidate."""
        return self in (Role.POINTS, Role.TOTAL)


class BoxFrame(StrEnum):
    """How the frame of a writing box is printed."""

    DARK = "dark"
    """Dark grey or black, as dark as writing."""
    PALE = "pale"
    """Light grey, lighter than writing."""
    DROPOUT = "dropout"
    """In a colour that the scanner does not see, or that grey scans show as nearly white."""


class AnchorKind(StrEnum):
    """What ties an image to a page of the layout."""

    SQUARES = "squares"
    """Black squares in the corners and black timing marks along the sides."""
    SHEET_EDGES = "sheet edges"
    """The outline of the paper or of the printed frame is the page (photos)."""
    PICTURES = "pictures"
    """The same small picture in the four corners."""
    MARKS = "marks"
    """Four printed marks of one simple shape."""
    REFERENCE = "reference"
    """A picture of the whole blank sheet, found by its features."""
    IMAGE = "image"
    """The image itself is the page; only its scale differs."""


CHARSETS = ("digits", "letters", "number", "points", "date", "text")
"""Names of what may be written; see `WritingField`."""

_OF_LINES = ("number", "points", "date", "text")
"""What takes more than one symbol, however narrow its box is."""
_WIDE = 1.8
"""A single box wider than this many times its height is for more than one symbol."""


class MarkShape(StrEnum):
    """Shape of the four marks that tie an image to a page."""

    DISC = "disc"
    RING = "ring"
    SQUARE = "square"
    CROSS = "cross"
    BRACKET = "bracket"
    """Two arms along the sides of a rectangle, one corner of which is the mark's place."""
    ANY = "any"
    """Not known: one of the others."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """What registration looks for on a page.

    Attributes
    ----------
    kind : AnchorKind
    squares : tuple of Box
        ``SQUARES``: the corner squares in the order top left, top right, bottom right,
        bottom left.
    key_mark : Box or None
        ``SQUARES``: a solid bar beside the top left square; it breaks the symmetry, so
        that the orientation can be told.
    timing : tuple of Box
        ``SQUARES``: the timing marks along the sides, in any order.
    picture_png : bytes
        ``PICTURES``, ``REFERENCE``: the picture as a grey PNG. Empty for other kinds.
    picture_boxes : tuple of Box
        ``PICTURES``: where the picture stands, in the order of `squares`.
        ``REFERENCE``: one box, the part of the page the picture shows.
    marks : tuple of (float, float)
        ``MARKS``: where the marks stand, in the order of `squares`: their centres, and of
        brackets the outer corners.
    mark_shape : MarkShape
    mark_mm : float
        ``MARKS``: diameter of a mark, side of its square or length of its longer arm; 0
        where it is not known.
    """

    kind: AnchorKind
    squares: tuple[Box, ...] = ()
    key_mark: Box | None = None
    timing: tuple[Box, ...] = ()
    picture_png: bytes = b""
    picture_boxes: tuple[Box, ...] = ()
    marks: tuple[tuple[float, float], ...] = ()
    mark_shape: MarkShape = MarkShape.ANY
    mark_mm: float = 0.0


@dataclass(frozen=True, slots=True)
class BubbleField:
    """Bubbles, mostly in a regular grid: one row for an item, several columns for a number.

    A field holds `n_groups` groups (an item has one, a ten-digit number has ten); each
    group has one bubble an option. The centre of option ``o`` in group ``g`` is
    ``origin + o * option_step + g * group_step``.

    Attributes
    ----------
    name : str
        Unique in the layout.
    options : tuple of str
        Option labels in printed order.
    origin, option_step, group_step : (float, float)
        Centre of the first bubble of the first group, and the two steps, in mm.
    n_groups : int
    bubble_w, bubble_h : float
        Size of a bubble in mm.
    shape : BubbleShape
    multiple : bool
        Whether several marks in a group are an answer; else they are flagged.
    role : Role
    item : str
        The exam item this field answers (``Role.ITEM``), else empty.
    places : tuple of (float, float)
        Centres of the bubbles, group after group, where they form no such grid; else empty.
    full_box : FullBox
        What a completely filled bubble means.
    """

    name: str
    options: tuple[str, ...]
    origin: tuple[float, float]
    option_step: tuple[float, float]
    bubble_w: float
    bubble_h: float
    n_groups: int = 1
    group_step: tuple[float, float] = (0.0, 0.0)
    shape: BubbleShape = BubbleShape.OVAL
    multiple: bool = False
    role: Role = Role.OTHER
    item: str = ""
    places: tuple[tuple[float, float], ...] = ()
    full_box: FullBox = FullBox.MARKED

    def centres(self) -> NDArray[np.float64]:
        """Bubble centres in mm, (n_groups * n_options, 2), group after group."""
        if self.places:
            return np.array(self.places)
        group = np.arange(self.n_groups)[:, None, None] * np.array(self.group_step)
        option = np.arange(len(self.options))[None, :, None] * np.array(self.option_step)
        return np.asarray((np.array(self.origin) + group + option).reshape(-1, 2))

    @property
    def box(self) -> Box:
        """Smallest box around all bubbles, in mm."""
        xy = self.centres()
        (x0, y0), (x1, y1) = xy.min(axis=0), xy.max(axis=0)
        return Box(
            float(x0) - self.bubble_w / 2,
            float(y0) - self.bubble_h / 2,
            float(x1 - x0) + self.bubble_w,
            float(y1 - y0) + self.bubble_h,
        )


@dataclass(frozen=True, slots=True)
class CodeField:
    """A QR code or barcode.

    Attributes
    ----------
    name : str
    box : Box
        Where it stands, in mm, without its quiet zone.
    formats : tuple of str
        ``"QRCode"``, ``"DataMatrix"``, ``"Code128"`` or ``"PDF417"``.
    role : Role
    """

    name: str
    box: Box
    formats: tuple[str, ...] = ("QRCode",)
    role: Role = Role.PAGE


@dataclass(frozen=True, slots=True)
class WritingField:
    """Boxes for handwriting, one symbol a box, or one wide box for a word.

    Attributes
    ----------
    name : str
    box : Box
        The first box, in mm.
    n_boxes : int
    step : float
        Distance from one box to the next in mm, to the right.
    charset : str
        What may be written: ``"digits"``, ``"letters"`` (capitals), ``"number"`` (a signed
        decimal, fraction or mixed number), ``"points"`` (digits, a half), ``"date"`` (year,
        month and day), ``"text"`` (anything), or else the characters themselves: ``"ABCD"``.
    role : Role
    item : str
    frame : BoxFrame
    """

    name: str
    box: Box
    n_boxes: int = 1
    step: float = 0.0
    charset: str = "text"
    role: Role = Role.OTHER
    item: str = ""
    frame: BoxFrame = BoxFrame.DARK

    @property
    def is_line(self) -> bool:
        """Whether it is one wide box for a line of writing, not a box a symbol."""
        is_wide = self.box.w > _WIDE * self.box.h
        return self.n_boxes == 1 and (is_wide or self.charset in _OF_LINES)

    def boxes(self) -> tuple[Box, ...]:
        """All boxes in mm, left to right."""
        first = self.box
        return tuple(
            Box(first.x + k * self.step, first.y, first.w, first.h) for k in range(self.n_boxes)
        )


@dataclass(frozen=True, slots=True)
class AreaField:
    """A free area: the answer to a subjective item, or a name field.

    Attributes
    ----------
    name : str
    box : Box
        In mm.
    role : Role
        ``POINTS``: an area in which a marker puts ticks and crosses.
    item : str
    n_marks : int
        ``POINTS``: how many ticks and crosses are expected; each tick is worth an equal
        share of the item's points.
    """

    name: str
    box: Box
    role: Role = Role.OTHER
    item: str = ""
    n_marks: int = 0


AnswerField = BubbleField | WritingField | AreaField
"""A field in which people mark or write."""

PointsField = WritingField | AreaField
"""A field in which markers write points, or ticks and crosses; see `Role.is_of_marker`."""

Field = AnswerField | CodeField


@dataclass(frozen=True, slots=True)
class JoinedField:
    """A value put together from the values of other fields, in their order.

    Attributes
    ----------
    name : str
    parts : tuple of str
        Names of fields of the layout.
    role : Role
    """

    name: str
    parts: tuple[str, ...]
    role: Role = Role.OTHER


@dataclass(frozen=True, slots=True)
class PageLayout:
    """One side of a sheet.

    Attributes
    ----------
    width_mm, height_mm : float
    anchors : Anchors
    fields : tuple of Field
    columns : tuple of Box
        The columns of print (栏) that our own sheets arrange items in, left to right, in mm.
        Empty where the sheet was not built by inkmark; reading does not use them.
    """

    width_mm: float
    height_mm: float
    anchors: Anchors
    fields: tuple[Field, ...] = ()
    columns: tuple[Box, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is only a code to read: the back of a sheet that has no more items."""
        return all(isinstance(f, CodeField) for f in self.fields)


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """All pages of one candidate's answer sheet.

    Attributes
    ----------
    version : str
        Sheet version: the first eight hexadecimal digits of the hash of the layout's
        geometry. It is printed in the QR code, so a sheet of another print is told apart.
    title : str
    pages : tuple of PageLayout
    joins : tuple of JoinedField
    """

    version: str
    title: str
    pages: tuple[PageLayout, ...]
    joins: tuple[JoinedField, ...] = field(default=())

    def fields(self) -> tuple[Field, ...]:
        """The fields of all pages, page after page."""
        return tuple(f for page in self.pages for f in page.fields)
