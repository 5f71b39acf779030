"""A PDF writer small enough to make any odd image page a test needs."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, TiffImagePlugin


@dataclass
class PageSpec:
    """A page: an image XObject (its dictionary without braces, its bytes) and its content."""

    image: str
    stream: bytes
    matrix: tuple[float, ...] = (595.0, 0.0, 0.0, 842.0, 0.0, 0.0)
    rotate: int = 0
    before: str = ""
    after: str = ""
    form_matrix: str | None = None
    media: tuple[float, ...] = (0.0, 0.0, 595.0, 842.0)


def write_pdf(*pages: PageSpec, extra: str = "") -> bytes:
    objects: list[bytes] = []

    def add(body: str, stream: bytes | None = None) -> int:
        if stream is None:
            objects.append(body.encode())
        else:
            head = f"<< {body} /Length {len(stream)} >>\nstream\n".encode()
            objects.append(head + stream + b"\nendstream")
        return len(objects)

    add("<< /Type /Catalog /Pages 2 0 R >>")
    add("")  # the page tree, filled in below
    font = add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for page in pages:
        image = add(f"/Type /XObject /Subtype /Image {page.image}", page.stream)
        draw = "q {} cm /Im0 Do Q".format(" ".join(f"{v:g}" for v in page.matrix))
        resources = f"<< /XObject << /Im0 {image} 0 R >> /Font << /F1 {font} 0 R >> {extra} >>"
        if page.form_matrix is not None:
            form = add(
                "/Type /XObject /Subtype /Form /BBox [-2000 -2000 2000 2000] "
                f"/Resources {resources}",
                draw.encode(),
            )
            resources = f"<< /XObject << /Fm0 {form} 0 R >> >>"
            draw = f"q {page.form_matrix} cm /Fm0 Do Q"
        content = add("", f"{page.before} {draw} {page.after}".encode())
        media = " ".join(f"{v:g}" for v in page.media)
        kids.append(
            add(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [{media}] /Rotate {page.rotate} "
                f"/Resources {resources} /Contents {content} 0 R >>"
            )
        )
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    objects[1] = f"<< /Type /Pages /Kids [{listed}] /Count {len(kids)} >>".encode()

    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    for offset in offsets:
        out.write(f"{offset:010d} 00000 n \n".encode())
    out.write(
        f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    )
    return out.getvalue()


def g4_strip(bilevel: Image.Image) -> bytes:
    """The bare CCITT G4 data of a 1-bit picture, black being 0 as in PDF."""
    out = io.BytesIO()
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[262] = 0  # white is zero: what a PDF reader assumes without /BlackIs1
    bilevel.save(out, "TIFF", compression="group4", tiffinfo=info, strip_size=1 << 24)
    data = out.getvalue()
    with Image.open(io.BytesIO(data)) as image:
        tags = image.tag_v2
        (start,), (size,) = tags[273], tags[279]
    return data[start : start + size]
