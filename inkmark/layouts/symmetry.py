"""Whether a page's bubbles tell which way up a sheet lies."""

from __future__ import annotations

import numpy as np

from inkmark.layouts.model import BubbleField, PageLayout

__all__ = ["looks_the_same_turned"]

_NEARLY_ALL = 0.97


def looks_the_same_turned(page: PageLayout) -> bool:
    """Whether upside down the bubbles stand where upright ones do, so that they tell nothing.

    Parameters
    ----------
    page : PageLayout

    Returns
    -------
    bool
        False where the page has no bubbles.
    """
    fields = [field for field in page.fields if isinstance(field, BubbleField)]
    if not fields:
        return False
    centres = np.concatenate([field.centres() for field in fields])
    half = min(min(field.bubble_w, field.bubble_h) for field in fields) / 2
    alike = 0
    for turned in (page.width_mm, page.height_mm) - centres:
        alike += bool((np.abs(centres - turned).max(axis=1) < half).any())
    return alike > _NEARLY_ALL * len(centres)
