"""What was learned from a blank sheet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inkmark.geometry import Box
from inkmark.layouts import SheetLayout

__all__ = ["Doubt", "LearnOptions", "LearnedBubble", "LearnedPage", "LearnedSheet", "Order"]


class Order(StrEnum):
    """How items are numbered across the blocks of a sheet."""

    COLUMNS = "columns"
    """Down a column of blocks, then down the next."""
    ROWS = "rows"
    """Block beside block, then the blocks below them."""
    AUTO = "auto"
    """Rows where blocks of a few items stand side by side, else columns."""


@dataclass(frozen=True, slots=True)
class LearnOptions:
    """What the caller knows of a sheet.

    Attributes
    ----------
    title : str
    width_mm : float or None
        Width of the paper, where the file does not tell or tells wrong.
    order : Order
    """

    title: str = ""
    width_mm: float | None = None
    order: Order = Order.AUTO


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that a person should look at.

    Attributes
    ----------
    message : str
        What it is and what to do.
    page : int
        0-based page.
    box : Box or None
        Where, in mm; None for the page as a whole.
    """

    message: str
    page: int
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class LearnedBubble:
    """A bubble as it was found.

    Attributes
    ----------
    x_mm, y_mm : float
    print_seen : bool
        Whether its own print was seen; else it is there because ink is, or because the
        bubbles around it ask for one.
    """

    x_mm: float
    y_mm: float
    print_seen: bool


@dataclass(frozen=True, slots=True)
class LearnedPage:
    """One page as it was learned.

    Attributes
    ----------
    to_image : tuple of 9 float
        Homography from the layout's millimetres to pixels of the image that was given.
    bubbles : tuple of LearnedBubble
    marks : str
        What ties scans to the page, in words.
    picture : bytes
        The page as it was looked at, flat and upright: a grey JPEG.
    """

    to_image: tuple[float, ...]
    bubbles: tuple[LearnedBubble, ...]
    marks: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class LearnedSheet:
    """A layout proposed from a blank sheet.

    Attributes
    ----------
    layout : SheetLayout
    pages : tuple of LearnedPage
    doubts : tuple of Doubt
    """

    layout: SheetLayout
    pages: tuple[LearnedPage, ...]
    doubts: tuple[Doubt, ...]
