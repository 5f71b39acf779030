"""Where a printed sheet lies in an image."""

from __future__ import annotations

from inkmark.errors import LayoutError
from inkmark.layouts import AnchorKind, PageLayout
from inkmark.omr._squares import register_squares
from inkmark.omr._transform import GreyImage
from inkmark.omr.model import RegisterOptions, RegistrationFailure
from inkmark.readings import Registration

__all__ = ["RegisterOptions", "RegistrationFailure", "register"]


def register(
    pixels: GreyImage, page: PageLayout, options: RegisterOptions | None = None
) -> Registration | RegistrationFailure:
    """Find a page of a layout in an image.

    Parameters
    ----------
    pixels : (H, W) uint8
        Grey image, any resolution, the sheet in any of four orientations and skewed.
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
        case kind:
            raise LayoutError(f"Pages with the anchors {kind.value!r} cannot be registered yet.")
