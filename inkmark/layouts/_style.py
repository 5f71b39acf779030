"""Measures of our own sheets, in mm, and the greys of their lines."""

from __future__ import annotations

from collections.abc import Mapping

from inkmark.exam import Exam, Item
from inkmark.layouts.model import BoxFrame

PAPER = {"A4": (210.0, 297.0), "A3": (420.0, 297.0)}
"""Width and height; A3 lies on its long side."""

# 0 is black, 1 is white.
INK = 0.1
OUTLINE = 0.25
RULE = 0.6
FRAME_LINE_PT = 0.7
HAIRLINE_PT = 0.4
FRAMES: Mapping[BoxFrame, float | tuple[float, float, float]] = {
    BoxFrame.DARK: OUTLINE,
    BoxFrame.PALE: 0.72,
    # A light blue, which grey scans show nearly white and which no pen of a marker has.
    BoxFrame.DROPOUT: (0.68, 0.88, 1.0),
}
"""Greys, or red, green and blue, of the frames of boxes to write in."""
FRAME_LINES_PT = {BoxFrame.DARK: 0.4, BoxFrame.PALE: 0.6, BoxFrame.DROPOUT: 0.8}

# Anchors stand in a band along the edges, 8 to 14 mm from the edge of the paper.
SQUARE = 6.0
SQUARE_MARGIN = 8.0
KEY_MARK = (9.0, 4.0)
KEY_MARK_GAP = 2.5
TIMING_MARK = (4.0, 2.0)
TIMING_STEP = 12.5

# Everything else stands inside this margin.
CONTENT_MARGIN = 17.0
# The quiet zone of the smallest code, four modules of 0.8 mm, stays clear of the square.
CODE_TOP = 17.5
CODE_SIZE = 20.0
BODY_TOP = 41.0
FOOTER = 5.0
COLUMN_GAP = 7.0

# Bubbles of items: blocks of five rows, as many blocks side by side as the column holds.
BUBBLE = (5.0, 3.0)
BUBBLE_RANGE = (3.0, 7.0)
OPTION_GAP = 2.5
ROW_GAP = 3.0
ROWS_PER_BLOCK = 5
BLOCK_GAP = 3.0
BAND_PADDING = 2.0
LABEL_GAP = 1.6
LABEL_MIN = 6.0
LABEL_SIZE_PT = 9.0
BUBBLE_LABEL_PT = 6.8
BUBBLE_LABEL_MIN_PT = 4.5

SECTION_GAP = 4.0
HEADING = 7.0

# Items answered in writing: cells with a label and a box, one letter's or a wide one.
WRITING_PADDING = 1.75
LETTER_BOX = 8.0
LETTER_PADDING = 2.5  # a letter that is crossed out has room above it for another
LETTER_GAP = 1.5
FILL_IN_BOX = 9.0
FILL_IN_CELL_MIN = 66.0

# Boxes that markers write points in; that of their sum stands left of the title.
POINTS_BOX = (14.0, 9.0)
POINTS_GAP = 2.0
POINTS_LABEL = 7.0
TOTAL_BOX = (22.0, 10.0)
TOTAL_TOP = 21.0

# Subjective items: height of the answer area by points.
AREA_BASE = 20.0
AREA_PER_POINT = 4.0
AREA_MIN = 30.0
AREA_GAP = 3.0
AREA_STRETCH = 1.4

# The block on the first page: name, instructions and absent mark, and the candidate number.
INFO_GAP = 5.0
INFO_MIN = 48.0
INFO_HEIGHT = 74.0
NAME_BOX = 9.5
NAME_LABEL = 14.0
GRID_PADDING = 3.0
GRID_CAPTION = 6.5
GRID_BUBBLE = (4.6, 3.0)
GRID_STEP = (7.0, 5.6)
GRID_STEP_MIN = 6.0
WRITTEN_DIGIT = 7.0
WRITTEN_GAP = 2.0
# Without the grid: larger boxes with gaps between them, and the instructions below.
INFO_HEIGHT_BOXES = 57.0
NUMBER_BOX = 9.0
NUMBER_STEP = 8.5
NUMBER_GAP = 1.0
NUMBER_HEIGHT = 21.0


def info_height(*, has_grid: bool) -> float:
    """Height of the block on the first page, with or without bubbles for the number."""
    return INFO_HEIGHT if has_grid else INFO_HEIGHT_BOXES


def item_label(number: str) -> str:
    """The text left of an item's bubbles or answer box."""
    return f"{number}."


def sections(exam: Exam) -> tuple[tuple[Item, ...], ...]:
    """The items as printed: runs of neighbours of one type, each under one heading."""
    runs: list[list[Item]] = []
    for item in exam.items:
        if runs and runs[-1][0].type is item.type:
            runs[-1].append(item)
        else:
            runs.append([item])
    return tuple(tuple(run) for run in runs)
