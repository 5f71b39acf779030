import pytest

from inkmark.reports.flow import Column, Flow, paragraph
from inkmark.reports.pdf import Book

COLUMNS = (Column("a", 20), Column("b", 20, "right"))


def drawn(flow, tmp_path):
    """Draw the flow, and note the y of each table row by its text."""
    book = Book("t", "en")
    places = {}
    for number, sections in enumerate(flow.pages):
        pen = book.page(210, 297)
        for y, draw in sections:
            draw(pen, y)
        places[number] = [y for y, _ in sections]
        book.end_page()
    book.write(tmp_path / "t.pdf")
    return places


def nothing(pen, y):
    """Draw nothing."""


def rows(n, seen):
    def cell(number):
        def draw(_, box):
            seen[number] = box

        return draw

    return [(cell(number), str(number)) for number in range(n)]


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 60, 200])
def test_every_row_of_a_table_is_drawn_once_inside_the_page(n, parts, tmp_path):
    flow = Flow(top=20, bottom=280, first_top=60)
    seen = {}
    flow.table(COLUMNS, rows(n, seen), side_by_side=parts)
    drawn(flow, tmp_path)
    assert sorted(seen) == list(range(n))
    for box in seen.values():
        assert box.y >= 20
        assert box.bottom <= 280 + 1e-6


def test_rows_go_down_a_part_before_the_next(tmp_path):
    flow = Flow(top=20, bottom=280)
    seen = {}
    flow.table(COLUMNS, rows(10, seen), side_by_side=2)
    drawn(flow, tmp_path)
    assert [seen[number].x for number in range(10)] == [seen[0].x] * 5 + [seen[5].x] * 5
    assert seen[5].x > seen[0].right - 20
    assert seen[5].y == seen[0].y


def test_rows_are_set_closer_to_save_a_page_but_only_a_little(tmp_path):
    def pages_and_height(n):
        flow = Flow(top=20, bottom=20 + 4.8 + 20 * 4.8)
        seen = {}
        flow.table(COLUMNS, rows(n, seen), row_height=4.8)
        drawn(flow, tmp_path)
        return len(flow.pages), seen[0].h

    assert pages_and_height(20) == (1, 4.8)
    pages, height = pages_and_height(22)
    assert pages == 1
    assert 4.8 * 0.87 <= height < 4.8
    assert pages_and_height(24) == (2, 4.8)


def test_a_heading_goes_with_what_follows_it():
    flow = Flow(top=20, bottom=100)
    flow.add(60, nothing)
    flow.heading("next", follow=30)
    flow.add(30, nothing)
    assert [len(page) for page in flow.pages] == [1, 2]


def test_a_section_taller_than_a_page_is_placed_all_the_same():
    flow = Flow(top=20, bottom=100)
    flow.add(500, nothing)
    flow.add(10, nothing)
    assert [len(page) for page in flow.pages] == [1, 1]


def test_a_paragraph_takes_the_height_of_its_lines():
    one, _ = paragraph("short", 100)
    three, _ = paragraph("word " * 60, 100)
    assert three > 2 * one


@pytest.mark.parametrize("title", ["Points", "Points that stand below the pass threshold"])
@pytest.mark.parametrize("used", range(180, 262, 3))
def test_a_heading_is_never_parted_from_its_table(used, title):
    flow = Flow(top=20, bottom=280)
    flow.add(used - 20.0, nothing, gap=0.0)
    flow.heading("Items")
    page_of_heading = len(flow.pages)
    flow.table((Column(title, 10), Column("b", 20)), rows(30, {}), row_height=6.5)
    assert len(flow.pages[page_of_heading - 1]) > 1, "the table begins on the heading's page"
    first_page = flow.pages[0]
    assert page_of_heading > 1 or len(first_page) == 3
