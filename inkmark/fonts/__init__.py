"""The embedded fonts, and text measured, wrapped and fitted in them.

Noto Sans SC covers Chinese and Latin; its outlines are TrueType because reportlab
cannot embed CFF outlines. Sizes and widths are in points, as reportlab has them.
"""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path

__all__ = [
    "BOLD",
    "REGULAR",
    "fit_text",
    "printable_text",
    "register_fonts",
    "text_width",
    "wrap_text",
]

REGULAR = "NotoSansSC"
BOLD = "NotoSansSC-Bold"

_FILES = {REGULAR: "NotoSansSC-Regular.ttf", BOLD: "NotoSansSC-Bold.ttf"}
_ELLIPSIS = "…"
_MISSING = "〓"
# Line breaking after JIS X 4051 / GB/T 15834: what may not begin and may not end a line.
_NOT_FIRST = frozenset("，。、；：？！）》」』】〉〕”’…—～·%‰℃,.;:?!)]}")
_NOT_LAST = frozenset("（《「『【〈〔“‘([{¥￥$#")
_SPACES = " \u3000"


@functools.cache
def register_fonts() -> None:
    """Make `REGULAR` and `BOLD` known to reportlab; parses the files once a process."""
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - only who prints pays for it
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    folder = Path(__file__).parent
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))
    pdfmetrics.registerFontFamily(
        REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD
    )


def text_width(text: str, size_pt: float, font: str = REGULAR) -> float:
    """Width of one line of text in points."""
    return sum(_advance(char, font) for char in text) * size_pt


def printable_text(text: str) -> str:
    """Text as it can be printed: on one line, every character with a glyph.

    Accents are joined to their letters (Unicode normal form C), control characters and
    line breaks become spaces; a character that the font lacks becomes 〓, the mark with
    which Chinese typesetting shows a missing character.
    """
    glyphs = _glyphs()
    composed = unicodedata.normalize("NFC", text)
    chars = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in composed)
    return "".join(c if ord(c) in glyphs else _MISSING for c in chars).strip()


def wrap_text(text: str, width_pt: float, size_pt: float, font: str = REGULAR) -> tuple[str, ...]:
    r"""Break text into lines no wider than `width_pt`.

    Lines break at spaces and between Chinese characters; closing punctuation does not
    begin a line and opening punctuation does not end one. A Latin word is broken only
    where it alone is wider than the line. ``\n`` starts a new line.

    Parameters
    ----------
    text : str
    width_pt, size_pt : float
        Both positive.
    font : str

    Returns
    -------
    tuple of str
        At least one line; a line is wider than `width_pt` only where a single character
        with the punctuation tied to it is.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _wrap_paragraph(paragraph, width_pt / size_pt, font)
    return tuple(lines)


def fit_text(
    text: str,
    width_pt: float,
    size_pt: float,
    font: str = REGULAR,
    *,
    min_size_pt: float | None = None,
) -> tuple[str, float]:
    """Fit one line into a width: first a smaller size, then an ellipsis.

    Parameters
    ----------
    text : str
    width_pt, size_pt : float
        The room there is, and the size wanted.
    font : str
    min_size_pt : float or None
        Smallest size; 70 % of `size_pt` by default.

    Returns
    -------
    (str, float)
        The text to print and its size; its width is at most `width_pt`. The text is empty
        where not even an ellipsis fits.
    """
    smallest = 0.7 * size_pt if min_size_pt is None else min(min_size_pt, size_pt)
    width = text_width(text, 1.0, font)
    if width * size_pt <= width_pt:
        return text, size_pt
    if width * smallest <= width_pt:
        # A hair smaller, so that rounding never makes it wider than the room.
        return text, max(smallest, width_pt / width * (1 - 1e-9))
    room = width_pt / smallest - text_width(_ELLIPSIS, 1.0, font)
    kept, used = 0, 0.0
    for char in text:
        used += _advance(char, font)
        if used > room:
            break
        kept += 1
    return (text[:kept].rstrip() + _ELLIPSIS if room >= 0 else ""), smallest


@functools.cache
def _advance(char: str, font: str) -> float:
    """Width of a character in ems."""
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415

    register_fonts()
    return float(pdfmetrics.stringWidth(char, font, 1.0))


@functools.cache
def _glyphs() -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415

    register_fonts()
    return frozenset(pdfmetrics.getFont(REGULAR).face.charToGlyph)


def _wrap_paragraph(paragraph: str, width_em: float, font: str) -> list[str]:
    lines: list[str] = []
    line, used = "", 0.0
    for piece in _pieces(paragraph):
        if line and used + _bare_width(piece, font) > width_em:
            lines.append(line.rstrip(_SPACES))
            line, used = "", 0.0
        rest = piece
        while _bare_width(rest, font) > width_em and (head := _head(rest, width_em, font)):
            lines.append(rest[:head])
            rest = rest[head:]
        line += rest
        used += text_width(rest, 1.0, font)
    return [*lines, line.rstrip(_SPACES)]


def _bare_width(piece: str, font: str) -> float:
    """Width without the spaces at the end, which may hang over the edge."""
    return text_width(piece.rstrip(_SPACES), 1.0, font)


def _head(word: str, width_em: float, font: str) -> int:
    """Where a word wider than the line is broken; 0 where it cannot be."""
    used = 0.0
    for index, char in enumerate(word):
        used += _advance(char, font)
        if used > width_em:
            head = max(index, 1)
            while head < len(word) and (word[head] in _NOT_FIRST or word[head] in _SPACES):
                head += 1
            return head if head < len(word) else 0
    return 0


def _pieces(text: str) -> list[str]:
    """Cut text where a line may break; spaces stay with the piece before them."""
    pieces: list[str] = []
    start = 0
    for index in range(1, len(text)):
        if _may_break(text[index - 1], text[index]):
            pieces.append(text[start:index])
            start = index
    return [*pieces, text[start:]] if text else []


def _may_break(before: str, after: str) -> bool:
    if after in _SPACES or after in _NOT_FIRST or before in _NOT_LAST:
        return False
    return before in _SPACES or _is_wide(before) or _is_wide(after)


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in ("W", "F") or char in "”’…—·"
