"""One page image to one sheet reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from inkmark.geometry import MM_PER_INCH, local_scale
from inkmark.images import ImageLimits, PageImage
from inkmark.layouts import CodeField, PageLayout, Role, SheetCode, SheetLayout
from inkmark.ocr import WritingOptions, find_codes, read_codes, read_writing
from inkmark.ocr.points import PointsOptions, read_points
from inkmark.omr import (
    BubbleOptions,
    RegisterOptions,
    RegistrationFailure,
    edge_width_mm,
    read_bubbles,
    refine,
    register,
)
from inkmark.readings import (
    CodeReading,
    IssueKind,
    PageSource,
    Registration,
    SheetIssue,
    SheetReading,
)

__all__ = ["ReadOptions", "page_code", "read_page"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How scans are read.

    Attributes
    ----------
    limits : ImageLimits
        What an image file may ask for.
    registration : RegisterOptions
    bubbles : BubbleOptions
    writing : WritingOptions
    points : PointsOptions
    workers : int
        How many tasks to share the reading out over, and threads to read with where no
        executor is given; 0 for one a processor.
    pages_per_task : int
        Pages of a file that are read in the first task; the rest of a longer file is shared
        out over the workers, as each task opens the file anew.
    """

    limits: ImageLimits = field(default_factory=ImageLimits)
    registration: RegisterOptions = field(default_factory=RegisterOptions)
    bubbles: BubbleOptions = field(default_factory=BubbleOptions)
    writing: WritingOptions = field(default_factory=WritingOptions)
    points: PointsOptions = field(default_factory=PointsOptions)
    workers: int = 0
    pages_per_task: int = 16


def read_page(
    image: PageImage,
    layout: SheetLayout,
    options: ReadOptions | None = None,
    *,
    exam_id: str = "",
) -> SheetReading | SheetIssue:
    """Read one page image.

    Parameters
    ----------
    image : PageImage
    layout : SheetLayout
    options : ReadOptions, optional
    exam_id : str
        Where given, a sheet that names another exam is an issue.

    Returns
    -------
    SheetReading or SheetIssue
    """
    options = options or ReadOptions()
    pixels = image.pixels
    page = layout.pages[0]
    registration = register(pixels, page, options.registration)
    if isinstance(registration, RegistrationFailure):
        return _unregistered(image, layout, registration, exam_id)
    codes = read_codes(pixels, page, registration)
    code = page_code(page, codes)
    number = 0
    if code is not None:
        foreign = _foreign(image.source, code, layout, exam_id)
        if foreign is not None:
            return foreign
        number = code.page
    elif len(layout.pages) > 1:
        return SheetIssue(
            IssueKind.UNIDENTIFIED,
            image.source,
            "the code that names the page cannot be read. Scan the page again at 200 dpi or "
            "more, with the code clean and whole.",
        )
    if number > 0:
        page = layout.pages[number]
        if page.anchors != layout.pages[0].anchors:
            registration = register(pixels, page, options.registration)
            if isinstance(registration, RegistrationFailure):
                return _unregistered(image, layout, registration, exam_id)
    registration = refine(pixels, page, registration, options.registration)
    if isinstance(registration, RegistrationFailure):
        return _unregistered(image, layout, registration, exam_id)
    return SheetReading(
        source=image.source,
        width_px=pixels.shape[1],
        height_px=pixels.shape[0],
        dpi=_dpi(page, registration),
        page_number=number,
        registration=registration,
        fields=(
            *read_bubbles(pixels, page, registration, options.bubbles),
            *read_writing(
                pixels,
                page,
                registration,
                options.writing,
                is_named=code is not None and bool(code.candidate),
            ),
            *read_points(image, page, registration, options.points),
        ),
        codes=codes,
        edge_mm=edge_width_mm(pixels, page, registration),
    )


def page_code(page: PageLayout, codes: Iterable[CodeReading]) -> SheetCode | None:
    """Give the sheet's own code among the codes that were read, or None."""
    names = {f.name for f in page.fields if isinstance(f, CodeField) and f.role is Role.PAGE}
    parsed = (SheetCode.parse(c.text) for c in codes if not c.field or c.field in names)
    return next((code for code in parsed if code is not None), None)


def _foreign(
    source: PageSource, code: SheetCode, layout: SheetLayout, exam_id: str
) -> SheetIssue | None:
    """Say what is wrong where a code belongs to another exam or sheet."""
    if exam_id and code.exam != exam_id:
        return SheetIssue(
            IssueKind.OTHER_EXAM,
            source,
            f"this page belongs to the exam {code.exam}, not to {exam_id}. Move the file to "
            "the scans of its own exam.",
            code.candidate,
        )
    if code.version != layout.version:
        return SheetIssue(
            IssueKind.OTHER_VERSION,
            source,
            f"this sheet was printed with layout {code.version}, the layout in use is "
            f"{layout.version}. Read it with the layout.json it was printed with.",
            code.candidate,
        )
    if code.page >= len(layout.pages):
        return SheetIssue(
            IssueKind.UNIDENTIFIED,
            source,
            f"the code says page {code.page + 1}, but the layout has {len(layout.pages)}. "
            "Look at the page and scan it again.",
            code.candidate,
        )
    return None


def _unregistered(
    image: PageImage, layout: SheetLayout, failure: RegistrationFailure, exam_id: str
) -> SheetIssue:
    """Say why a page did not register, and whose it is where its code can still be found."""
    code = page_code(layout.pages[0], find_codes(image.pixels))
    foreign = None if code is None else _foreign(image.source, code, layout, exam_id)
    if foreign is not None:
        return foreign
    return SheetIssue(
        IssueKind.UNREGISTERED,
        image.source,
        f"{failure.reason}. Check that this is a whole sheet of the exam, and scan it again "
        "lying flat.",
        "" if code is None else code.candidate,
        -1 if code is None else code.page,
    )


def _dpi(page: PageLayout, registration: Registration) -> float:
    homography = np.asarray(registration.homography).reshape(3, 3)
    return MM_PER_INCH * local_scale(homography, (page.width_mm / 2, page.height_mm / 2))
