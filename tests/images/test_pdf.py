from __future__ import annotations

import io
import threading
import zlib

import cv2
import numpy as np
import pypdfium2
import pytest
from pdf_writer import PageSpec, g4_strip, write_pdf
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from inkmark.errors import ImageError
from inkmark.images import ImageLimits, open_scan

WIDTH, HEIGHT = 595.0, 842.0  # points of the page in pdf_writer
UPRIGHT = (WIDTH, 0, 0, HEIGHT, 0, 0)


@pytest.fixture(scope="module")
def scan_page(page):
    """The page at 80 dpi of A4: (935, 661)."""
    return cv2.resize(page, (661, 935), interpolation=cv2.INTER_CUBIC)


def jpeg(pixels, **options):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=95, **options)
    return out.getvalue()


def head(pixels, rest):
    return f"/Width {pixels.shape[1]} /Height {pixels.shape[0]} {rest}"


def grey_jpeg(pixels, **spec):
    text = head(pixels, "/BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /DCTDecode")
    return PageSpec(text, jpeg(pixels), **spec)


def flate(pixels, rest="", **spec):
    text = head(pixels, f"/BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /FlateDecode {rest}")
    return PageSpec(text, zlib.compress(pixels.tobytes()), **spec)


def g4(pixels, rest="", **spec):
    strip = g4_strip(Image.fromarray(pixels > 127))
    text = head(
        pixels,
        "/BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /CCITTFaxDecode /DecodeParms "
        f"<< /K -1 /Columns {pixels.shape[1]} /Rows {pixels.shape[0]} >> {rest}",
    )
    return PageSpec(text, strip, **spec)


def write(tmp_path, *pages, **options):
    path = tmp_path / "a.pdf"
    path.write_bytes(write_pdf(*pages, **options))
    return path


def load(path, index=0, **options):
    with open_scan(path, **options) as scan:
        return scan.load(index)


def rendered(path, shape, index=0):
    document = pypdfium2.PdfDocument(path)
    pixels = document[index].render(scale=2, grayscale=True).to_numpy().copy()
    document.close()
    return cv2.resize(pixels, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)


def difference(a, b):
    assert a.shape == b.shape
    return np.abs(cv2.blur(a, (5, 5)).astype(int) - cv2.blur(b, (5, 5)).astype(int)).mean()


def test_a_jpeg_stream_is_taken_out_as_it_is(tmp_path, scan_page):
    image = load(write(tmp_path, grey_jpeg(scan_page)))
    expected = cv2.imdecode(np.frombuffer(jpeg(scan_page), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.abs(image.pixels.whole().astype(int) - expected).max() <= 1
    assert image.dpi == pytest.approx(80, rel=0.001)


def test_a_jpeg_inside_another_filter(tmp_path, scan_page):
    spec = grey_jpeg(scan_page)
    spec.image = spec.image.replace("/DCTDecode", "[/FlateDecode /DCTDecode]")
    spec.stream = zlib.compress(spec.stream)
    plain = load(write(tmp_path, grey_jpeg(scan_page))).pixels.whole()
    assert np.array_equal(load(write(tmp_path, spec)).pixels.whole(), plain)


@pytest.mark.parametrize("kind", [flate, g4])
def test_lossless_streams_come_out_bit_for_bit(tmp_path, scan_page, kind):
    image = load(write(tmp_path, kind(scan_page)))
    expected = scan_page if kind is flate else np.where(scan_page > 127, 255, 0)
    assert np.array_equal(image.pixels.whole(), expected)
    assert image.dpi == pytest.approx(80, rel=0.001)


@pytest.mark.parametrize("kind", [flate, g4, grey_jpeg])
def test_a_remapped_image_looks_as_it_is_displayed(tmp_path, scan_page, kind):
    spec = kind(scan_page)
    spec.image += " /Decode [1 0]"
    path = write(tmp_path, spec)
    expected = rendered(path, scan_page.shape)
    assert expected[2, 2] < 60  # a negative: the paper is dark
    assert difference(load(path).pixels.whole(), expected) < 4


PLACEMENTS = {
    "upright": UPRIGHT,
    "mirrored": (-WIDTH, 0, 0, HEIGHT, WIDTH, 0),
    "upside down": (-WIDTH, 0, 0, -HEIGHT, WIDTH, HEIGHT),
    "top to bottom": (WIDTH, 0, 0, -HEIGHT, 0, HEIGHT),
    "a quarter left": (0, HEIGHT, -WIDTH, 0, WIDTH, 0),
    "a quarter right": (0, -HEIGHT, WIDTH, 0, 0, HEIGHT),
    "transposed": (0, HEIGHT, WIDTH, 0, 0, 0),
    "transversed": (0, -HEIGHT, -WIDTH, 0, WIDTH, HEIGHT),
}


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("kind", [grey_jpeg, g4])
def test_rotation_and_placement_give_what_a_viewer_shows(
    tmp_path, scan_page, kind, placement, rotate
):
    path = write(tmp_path, kind(scan_page, matrix=PLACEMENTS[placement], rotate=rotate))
    image = load(path)
    lying = (PLACEMENTS[placement][0] == 0) != (rotate in (90, 270))
    assert image.pixels.whole().shape == (scan_page.shape[::-1] if lying else scan_page.shape)
    assert difference(image.pixels.whole(), rendered(path, image.pixels.whole().shape)) < 6


def test_an_image_wrapped_in_a_form_is_taken_out(tmp_path, scan_page):
    spec = flate(scan_page, matrix=(1, 0, 0, 1, 0, 0), form_matrix="595 0 0 842 0 0")
    image = load(write(tmp_path, spec))
    assert np.array_equal(image.pixels.whole(), scan_page)
    assert image.dpi == pytest.approx(80, rel=0.001)


def test_exif_inside_a_pdf_means_nothing(tmp_path, scan_page):
    exif = Image.Exif()
    exif[0x0112] = 6
    spec = grey_jpeg(scan_page)
    spec.stream = jpeg(scan_page, exif=exif)
    assert load(write(tmp_path, spec)).pixels.whole().shape == scan_page.shape


def test_invisible_text_of_a_copier_does_not_count(tmp_path, scan_page):
    text = "BT /F1 12 Tf {} Tr 100 400 Td (Candidate) Tj ET"
    path = write(tmp_path, flate(scan_page, after=text.format(3)))
    assert np.array_equal(load(path).pixels.whole(), scan_page)


@pytest.mark.parametrize(
    "spec",
    [
        {"after": "BT /F1 60 Tf 100 400 Td (Seen) Tj ET"},
        {"after": "0 0 0 rg 100 100 200 200 re f"},
        {"before": "100 100 300 300 re W n"},
        {"matrix": (500, 300, -300, 500, 300, 0)},
        {"matrix": (1200, 0, 0, 1700, -300, -400)},
    ],
    ids=["text", "drawing", "clipped", "tilted", "cropped"],
)
def test_a_page_that_is_more_than_its_image_is_rendered(tmp_path, scan_page, spec):
    path = write(tmp_path, flate(scan_page, **spec))
    image = load(path, render_dpi=144.0)
    assert image.pixels.whole().shape == (1684, 1190)
    assert image.dpi == 144.0
    assert difference(image.pixels.whole(), rendered(path, (1684, 1190))) < 1


def test_a_clip_along_the_page_changes_nothing(tmp_path, scan_page):
    path = write(tmp_path, flate(scan_page, before="0 0 595 842 re W n"))
    assert np.array_equal(load(path).pixels.whole(), scan_page)


def test_a_stencil_is_rendered(tmp_path, scan_page):
    strip = g4_strip(Image.fromarray(scan_page > 127))
    text = head(
        scan_page,
        "/ImageMask true /BitsPerComponent 1 /Filter /CCITTFaxDecode /DecodeParms "
        f"<< /K -1 /Columns {scan_page.shape[1]} /Rows {scan_page.shape[0]} >>",
    )
    path = write(tmp_path, PageSpec(text, strip, before="0 g"))
    image = load(path, render_dpi=144.0)
    assert image.dpi == 144.0
    assert difference(image.pixels.whole(), rendered(path, (1684, 1190))) < 1
    assert image.pixels.whole()[5, 5] == 255


def test_colour_and_cmyk_streams(tmp_path, scan_page):
    colour = cv2.cvtColor(scan_page, cv2.COLOR_GRAY2RGB)
    colour[:, :, 2] //= 2
    spec = PageSpec(
        head(colour, "/BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /DCTDecode"),
        jpeg(colour),
    )
    path = write(tmp_path, spec)
    with open_scan(path) as scan:
        bgr = scan.load_colour(0)
        assert difference(scan.load(0).pixels.whole(), cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)) < 1
    assert difference(np.ascontiguousarray(bgr[:, :, ::-1]), colour) < 3
    out = io.BytesIO()
    Image.fromarray(255 - scan_page).convert("RGB").convert("CMYK").save(out, "JPEG", quality=95)
    cmyk = PageSpec(
        head(scan_page, "/BitsPerComponent 8 /ColorSpace /DeviceCMYK /Filter /DCTDecode"),
        out.getvalue(),
    )
    path = write(tmp_path, cmyk)
    assert difference(load(path).pixels.whole(), rendered(path, scan_page.shape)) < 6


def test_pages_of_one_file(tmp_path, scan_page):
    path = write(tmp_path, grey_jpeg(scan_page), g4(scan_page, rotate=180), flate(scan_page))
    with open_scan(path) as scan:
        assert scan.n_pages == 3
        assert np.array_equal(scan.load(2).pixels.whole(), scan_page)
        assert scan.load(1).source.page_index == 1
        assert str(scan.load(1).source).endswith("a.pdf page 2")


def test_threads_may_read_at_once(tmp_path, scan_page):
    path = write(tmp_path, *[flate(scan_page), g4(scan_page), grey_jpeg(scan_page)] * 3)
    first = [load(path, i).pixels.whole() for i in range(9)]
    wrong = []

    def read():
        with open_scan(path) as scan:
            wrong.extend(
                i for i in range(9) if not np.array_equal(scan.load(i).pixels.whole(), first[i])
            )

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Broken and hostile files


def refused(path, **options):
    with pytest.raises(ImageError) as caught, open_scan(path, **options) as scan:
        scan.load(0)
    assert str(caught.value).endswith(".")
    return caught.value.reason


def test_a_protected_file_is_named_as_such(tmp_path):
    path = tmp_path / "a.pdf"
    canvas = Canvas(str(path), encrypt=StandardEncryption("secret"))
    canvas.drawString(100, 100, "Answers")
    canvas.save()
    assert refused(path) == "the PDF file is protected by a password"


def test_a_truncated_file_is_refused_or_loses_no_page_silently(tmp_path, scan_page):
    data = write_pdf(grey_jpeg(scan_page))
    path = tmp_path / "a.pdf"
    for keep in (0.01, 0.3, 0.7):
        path.write_bytes(data[: int(len(data) * keep)])
        refused(path)


def test_a_truncated_stream_inside_is_refused(tmp_path, scan_page):
    spec = grey_jpeg(scan_page)
    spec.stream = spec.stream[: len(spec.stream) // 2]
    assert refused(write(tmp_path, spec)) == "the file ends before the image does"


@pytest.mark.parametrize("kind", [flate, g4])
def test_a_huge_declared_image_is_refused(tmp_path, page, kind):
    spec = kind(page)
    spec.image = spec.image.replace("/Width 283 /Height 400", "/Width 100000 /Height 100000")
    assert "100000 x 100000 pixels" in refused(write(tmp_path, spec))


def test_a_huge_page_to_render_is_refused(tmp_path, page):
    side = 14_400.0  # 200 inches
    spec = flate(page, media=(0, 0, side, side), after="0 0 90 90 re f")
    assert "40000 x 40000 pixels" in refused(write(tmp_path, spec))


def test_too_many_pages_are_refused(tmp_path, page):
    path = write(tmp_path, *[flate(page)] * 4)
    assert "more than 3 pages" in refused(path, limits=ImageLimits(max_pages=3))


def test_a_file_without_pages_is_refused(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(write_pdf())
    refused(path)


SCANNED = ("markus_scanned/scanned_exams", "submitty_qr/submissions")


@pytest.mark.parametrize("folder", SCANNED)
def test_real_scans_are_taken_out_as_a_viewer_shows_them(data_dir, folder):
    files = sorted((data_dir / "scans" / folder).glob("*.pdf"))
    assert files
    for path in files:
        with open_scan(path) as scan:
            document = pypdfium2.PdfDocument(path)
            for index in (0, scan.n_pages - 1):
                page = document[index]
                image = scan.load(index)
                if sum(1 for _ in page.get_objects()) == 1:
                    extracted = next(page.get_objects()).get_px_size()
                    assert sorted(image.pixels.whole().shape) == sorted(extracted), path
                expected = page.render(scale=100 / 72, grayscale=True).to_numpy()
                size = (expected.shape[1], expected.shape[0])
                small = cv2.resize(image.pixels.whole(), size, interpolation=cv2.INTER_AREA)
                # fine enough to tell the page from its mirror images, which are 3 to 20 away
                blurred = [cv2.GaussianBlur(a, (0, 0), 3).astype(int) for a in (small, expected)]
                assert np.abs(blurred[0] - blurred[1]).mean() < 1.5, (path, index)
            document.close()


TEXT = "BT /F1 24 Tf 100 700 Td (Text) Tj ET"  # so that the page is rendered


def test_images_of_a_rendered_page_are_measured_before_they_are_decoded(tmp_path):
    device = "/BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /FlateDecode"
    huge = PageSpec(f"/Width 30000 /Height 30000 {device}", zlib.compress(bytes(9)), after=TEXT)
    assert "images together have more pixels" in refused(write(tmp_path, huge))
    many = "q 9 0 0 9 0 0 cm /Im0 Do Q " * 2
    large = f"/Width 7000 /Height 7000 {device}"
    several = PageSpec(large, zlib.compress(bytes(9)), after=many)
    assert "together" in refused(write(tmp_path, several))


def test_masks_are_measured_before_they_are_decoded(tmp_path, scan_page):
    data = write_pdf(flate(scan_page, "/SMask 9 0 R"))
    mask = b"<< /Type /XObject /Subtype /Image /Width 40000 /Height 40000 /Length 3 >>"
    path = tmp_path / "a.pdf"
    path.write_bytes(data + b"9 0 obj\n" + mask + b"\nstream\nabc\nendstream\nendobj\n")
    assert "40000 x 40000 pixels" in refused(path)


def test_deep_pixels_count_for_more(tmp_path, scan_page):
    file = io.BytesIO()
    Image.fromarray(scan_page.astype(np.uint16)).save(file, "PNG")
    path = tmp_path / "a.png"
    for colour_type, depth in ((6, 16), (2, 16), (6, 8)):
        raw = bytearray(file.getvalue())
        raw[24:26] = bytes([depth, colour_type])
        path.write_bytes(bytes(raw))
        pixels = scan_page.size
        with (
            pytest.raises(ImageError) as caught,
            open_scan(path, limits=ImageLimits(max_pixels=pixels)) as scan,
        ):
            scan.load(0)
        assert ("of 8 bytes" in caught.value.reason) == ((colour_type, depth) == (6, 16))


@pytest.mark.parametrize("damage", [b"", bytes(40)], ids=["cut", "changed"])
@pytest.mark.parametrize("bits", [1, 8])
def test_deflated_pixels_that_are_damaged_are_refused(tmp_path, scan_page, damage, bits):
    rows = scan_page if bits == 8 else np.packbits(scan_page > 128, axis=1)
    coded = zlib.compress(rows.tobytes())
    half = len(coded) // 2
    text = f"/BitsPerComponent {bits} /ColorSpace /DeviceGray /Filter /FlateDecode"
    whole = PageSpec(head(scan_page, text), coded)
    assert load(write(tmp_path, whole)).pixels.shape == scan_page.shape
    broken = PageSpec(
        head(scan_page, text), coded[:half] + damage + coded[half + 40 :] * bool(damage)
    )
    assert refused(write(tmp_path, broken)) == "the image data is damaged"


@pytest.mark.parametrize("times", [1, 2])
def test_images_that_inflate_far_beyond_their_pixels_are_refused(tmp_path, scan_page, times):
    coded = bytes(20 << 20)
    for _ in range(times):
        coded = zlib.compress(coded)
    filters = "/FlateDecode " * times
    text = f"/BitsPerComponent 8 /ColorSpace /DeviceGray /Filter [{filters}]"
    bomb = PageSpec(head(scan_page, text), coded)
    assert "far more image data" in refused(write(tmp_path, bomb))
