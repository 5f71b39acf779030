"""Where a printed sheet lies in an image."""

from __future__ import annotations

from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, PageLayout
from inkmark.omr._frames import (
    register_image,
    register_pictures,
    register_reference,
    register_sheet_edges,
)
from inkmark.omr._marks import register_marks
from inkmark.omr._squares import register_squares
from inkmark.omr.model import RegisterOptions, RegistrationFailure
from inkmark.readings import Registration

__all__ = ["RegisterOptions", "RegistrationFailure", "register"]


def register(
    pixels: Pixels, page: PageLayout, options: RegisterOptions | None = None
) -> Registration | RegistrationFailure:
    """Find a page of a layout in an image.

    Parameters
    ----------
    pixels : Pixels
        Any resolution, the sheet in any of four orientations and skewed.
    page : PageLayout
        What is printed where; its anchors say what is looked for.
    options : RegisterOptions, optional

    Returns
    -------
    Registration or RegistrationFailure
        A failure is a value, with its reason: a bad page must not stop a batch.
    """
    options = options or RegisterOptions()
    match page.anchors.kind:
        case AnchorKind.SQUARES:
            return register_squares(pixels, page, options)
        case AnchorKind.SHEET_EDGES:
            return register_sheet_edges(pixels.whole(), page)
        case AnchorKind.PICTURES:
            return register_pictures(pixels.whole(), page)
        case AnchorKind.REFERENCE:
            return register_reference(pixels.whole(), page, options)
        case AnchorKind.MARKS:
            return register_marks(pixels.whole(), page)
        case AnchorKind.IMAGE:
            return register_image(pixels.whole(), page)
