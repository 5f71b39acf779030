"""Pages of PDF files that are drawn: what is refused, and what is not."""

from __future__ import annotations

import sys
import zlib

import pytest

from inkmark.errors import ImageError
from inkmark.images import _rendering, open_scan


def load(path):
    with open_scan(path) as scan:
        return scan.load(0)


def drawing(tmp_path, commands):
    """A file of one page whose content, a deflated stream, is given."""
    content = zlib.compress(commands)
    path = tmp_path / "drawing.pdf"
    path.write_bytes(
        b"%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>\nendobj\n"
        b"4 0 obj\n<</Filter/FlateDecode/Length %d>>\nstream\n"
        % len(content)
        + content
        + b"\nendstream\nendobj\ntrailer<</Size 5/Root 1 0 R>>\n%%EOF"
    )
    return path


@pytest.mark.parametrize(
    ("commands", "reason"),
    [
        (b"0 0 m 500 800 l S " * 50_001, "more lines and shapes"),
        (b"% a comment that goes on and on\n" * 1_200_000, "drawing commands are far longer"),
    ],
)
def test_a_page_that_would_take_long_to_render_is_refused(tmp_path, commands, reason):
    with pytest.raises(ImageError, match=reason):
        load(drawing(tmp_path, commands))


def test_a_page_with_as_many_lines_as_a_sheet_may_have_is_rendered(tmp_path):
    pixels = load(drawing(tmp_path, b"100 100 m 110 110 l S " * 5_000)).pixels.whole()
    assert 0 < (pixels < 128).sum() < 1_000


def odd_file(tmp_path, resources, content, *objects, first=b""):
    """A file of one page; what it draws with follows as objects 5 and up."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<%b>>>>"
        % resources,
        stream(b"", content),
        *objects,
    ]
    path = tmp_path / "odd.pdf"
    numbered = [b"%d 0 obj\n%b\nendobj\n" % (k, body) for k, body in enumerate(bodies, 1)]
    path.write_bytes(
        b"%PDF-1.7\n" + first + b"".join(numbered) + b"trailer<</Size 99/Root 1 0 R>>\n%%EOF"
    )
    return path


def stream(head, content):
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (head, len(content), content)


def forms(depth, *, subtype=b"/Subtype/Form"):
    """Forms of which each draws the next ten times: 10 to the power of depth in all."""
    head = b"/Type/XObject%b/BBox[0 0 595 842]/Resources<</XObject<</F %d 0 R>>>>"
    inner = [stream(head % (subtype, k + 6), b"/F Do " * 10) for k in range(depth)]
    return *inner, stream(head % (subtype, 99), b"0 0 9 9 re f")


DRAWS_FORM = b"/XObject<</F 5 0 R>>"
BY_PROGRAM = (
    b"/Shading<</S<</ShadingType 1/ColorSpace/DeviceRGB/Domain[0 595 0 842]/Function 5 0 R>>>>"
)
PROGRAM = stream(
    b"/FunctionType 4/Domain[0 595 0 842]/Range[0 1 0 1 0 1]",
    b"{" + b"sin cos exch sin exch " * 2_000 + b"add dup dup}",
)
GROUP = b"/Type/XObject/Subtype/Form/Group<</S/Transparency/I true>>/BBox[0 0 595 842]"
BLEND = b"/ExtGState<</G<</ca .5/BM/Luminosity>>>>"


limits_time = pytest.mark.skipif(
    sys.platform == "win32", reason="processor time is not limited there"
)


@limits_time
@pytest.mark.parametrize(
    ("resources", "content", "objects"),
    [
        pytest.param(DRAWS_FORM, b"/F Do", forms(12), id="forms in forms"),
        pytest.param(
            DRAWS_FORM, b"/F Do", forms(12, subtype=b"/Sub#74ype/For#6d"), id="names by number"
        ),
        pytest.param(
            DRAWS_FORM,
            b"/F Do",
            forms(12, subtype=b"(/Subtype /Image) /Subtype/Form"),
            id="a form that looks like an image",
        ),
        pytest.param(BY_PROGRAM, b"/S sh " * 20, [PROGRAM], id="shading by a program"),
        pytest.param(BLEND, b"/G gs " + b"0 0 595 842 re f " * 49_000, [], id="blends"),
    ],
)
def test_a_page_that_would_take_hours_is_refused(
    tmp_path, monkeypatch, resources, content, objects
):
    monkeypatch.setattr(_rendering, "_MOST_CPU_S", 1)
    path = odd_file(tmp_path, resources, content, *objects)
    with open_scan(path) as scan, pytest.raises(ImageError, match="takes longer"):
        scan.load(0)


@limits_time
def test_a_file_has_one_limit_of_time(tmp_path, monkeypatch):
    monkeypatch.setattr(_rendering, "_MOST_CPU_S", 1)
    kids = b"<</Type/Pages/Kids[3 0 R 19 0 R]/Count 2>>"
    path = odd_file(tmp_path, DRAWS_FORM, b"/F Do", *forms(12))
    plain = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 144]/Contents 20 0 R>>"
    data = path.read_bytes().replace(b"<</Type/Pages/Kids[3 0 R]/Count 1>>", kids)
    more = b"19 0 obj\n%b\nendobj\n20 0 obj\n%b\nendobj\n" % (
        plain,
        stream(b"", b"0 0 36 144 re f"),
    )
    path.write_bytes(data.replace(b"trailer", more + b"trailer"))
    with open_scan(path, render_dpi=72) as scan:
        pixels = scan.load(1).pixels.whole()
        assert pixels.shape == (144, 72)
        assert (pixels[:, :35] == 0).all()
        assert (pixels[:, 37:] == 255).all()
        with pytest.raises(ImageError, match="takes longer"):
            scan.load(0)
        monkeypatch.setattr(_rendering, "_start", None)  # nothing is begun again
        with pytest.raises(ImageError, match="takes longer"):
            scan.load(1)


def test_commands_named_many_times_are_not_loaded_here(tmp_path, monkeypatch):
    path = odd_file(tmp_path, b"", b"0 0 9 9 re f\n")
    path.write_bytes(path.read_bytes().replace(b"4 0 R", b"[" + b"4 0 R " * 60 + b"]"))
    monkeypatch.setattr(_rendering, "_MOST_LOADING_S", -1.0)
    with open_scan(path) as scan, pytest.raises(ImageError, match="takes longer"):
        scan.load(0)


def test_what_python_prints_at_its_start_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("print('hello ' * 99)\n")
    monkeypatch.setattr(sys, "path", [tmp_path, *sys.path])
    path = odd_file(tmp_path, b"", b"0 0 9 9 re f")
    with open_scan(path, render_dpi=72) as scan:
        assert (scan.load(0).pixels.whole() == 0).sum() == 81


def test_a_process_that_says_anything_else_is_none(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("print('x' * 99_999)\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    path = odd_file(tmp_path, b"", b"0 0 9 9 re f")
    with open_scan(path) as scan, pytest.raises(ImageError, match="none starts"):
        scan.load(0)


def test_a_few_forms_are_drawn(tmp_path):
    path = odd_file(tmp_path, DRAWS_FORM, b"1 0 0 1 100 100 cm /F Do", *forms(3))
    with open_scan(path, render_dpi=72) as scan:
        grey, colour = scan.load(0).pixels.whole(), scan.load_colour(0)
    assert grey.shape == (842, 595)
    assert (grey == 0).sum() == 81
    assert colour.shape == (842, 595, 3)
    assert (colour == 0).all(axis=2).sum() == 81


def test_where_no_process_starts_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    path = odd_file(tmp_path, b"", b"0 0 9 9 re f")
    with open_scan(path) as scan, pytest.raises(ImageError, match="none starts"):
        scan.load(0)
