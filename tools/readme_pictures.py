"""Make the pictures of the README from the demo: ``python -m tools.readme_pictures``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray

from inkmark.demo import make_demo_exam
from inkmark.exam import ExamFolder
from inkmark.workflow import run

__all__: list[str] = []

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
HEIGHT_PX = 1000
MOST_BYTES = 150_000


def main() -> None:
    """Run the demo in both languages and picture a sheet and a class report of each."""
    IMAGES.mkdir(exist_ok=True)
    for language, suffix in (("en", ""), ("zh", ".zh-CN")):
        with tempfile.TemporaryDirectory() as scratch:
            folder = ExamFolder(Path(scratch) / "demo")
            make_demo_exam(folder.root, language=language)
            run(folder.root)
            sheets = min(folder.sheets.glob("*.pdf"))
            report = min((folder.out / "classes").glob("*.pdf"))
            _save(_first_page(sheets), IMAGES / f"sheet{suffix}.png")
            _save(_first_page(report), IMAGES / f"report{suffix}.png")


def _first_page(pdf: Path) -> NDArray[np.uint8]:
    """Return the page at twice the size of the picture, (H, W, 3) BGR."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        bitmap = page.render(scale=2 * HEIGHT_PX / page.get_height())
        return np.asarray(bitmap.to_numpy(), dtype=np.uint8).copy()


def _save(page: NDArray[np.uint8], path: Path) -> None:
    height, width = page.shape[:2]
    small = cv2.resize(page, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    # Sixteen steps a channel are enough for print and halve the file.
    small = (small // 17 * 17).astype(np.uint8)
    cv2.imwrite(str(path), small, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path} is larger than {MOST_BYTES} bytes; make HEIGHT_PX smaller")


if __name__ == "__main__":
    main()
