"""Third-party scans read with imported templates, against truth read by eye."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import real_scans
from benchmarks._captures import code_pages, sheet_captures
from benchmarks.contract import Options, Unavailable

# Images whose every unambiguous field must be right. The reference picture of sample6 is
# left out: its bubbles are not printed, so its fields must be put to a person. So is Shamanth's
# drawing: its corners alone say where it is, and the print fits two sizes of bubble alike.
FLATBED = (
    "Sandeep-1507",
    "scan-type-1",
    "EricSoOSU",
    "ibrahimkilic",
    "sample_roll",
    "Questionnaire",
    "T00002",
    "mork_jdoe",
)


@pytest.fixture(scope="module")
def captures(data_dir):
    return tuple(sheet_captures(data_dir / "scans"))


@pytest.fixture(scope="module")
def outcomes(captures):
    return {f"{c.collection}/{c.name}": real_scans.outcomes(c) for c in captures}


def test_flatbed_scans_and_renders_are_all_right(outcomes):
    images = [image for image in outcomes if any(name in image for name in FLATBED)]
    assert len(images) == 18
    wrong = [
        field
        for image in images
        for field in outcomes[image]
        if not field.ambiguous and field.verdict != "right"
    ]
    assert wrong == []


def test_a_drawing_that_fits_in_two_ways_is_put_to_a_person(outcomes):
    (fields,) = (of_image for image, of_image in outcomes.items() if "Shamanth" in image)
    assert {field.verdict for field in fields} == {"rejected"}
    assert all(field.value in field.truth for field in fields)


def test_no_photo_or_scan_is_read_silently_wrong(outcomes):
    assert len(outcomes) == 65
    fields = [f for of_image in outcomes.values() for f in of_image if not f.ambiguous]
    assert [f for f in fields if f.verdict == "wrong"] == []


def test_nearly_every_field_is_read(outcomes):
    verdicts = Counter(f.verdict for fields in outcomes.values() for f in fields)
    assert sum(verdicts.values()) == 2950
    assert verdicts["right"] >= 2900


def test_bubbles_that_are_not_printed_are_put_to_a_person(outcomes):
    (roll,) = outcomes["omrchecker/samples/sample6/reference.png"]
    assert roll.verdict == "rejected"


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize(
    "name",
    [
        "Test/T00002.jpg",
        "jdoe/JohnDoe2.jpeg",
        "img/answered-sheet-photo.jpg",
        "testimages/720p/set2/omr_2.jpg",
        "samples/sample1/MobileCamera/sheet1.jpg",
        "samples/community/DomBrzezinski/photos/omr_survey_1.jpg",
    ],
)
def test_a_turned_image_is_read_as_the_upright_one(captures, outcomes, name, quarters):
    (capture,) = (c for c in captures if c.name == name)
    upright = outcomes[f"{capture.collection}/{name}"]
    turned = real_scans.outcomes(capture, quarters)
    assert [f for f in turned if f.verdict == "wrong"] == []
    assert sum(f.verdict == "right" for f in turned) >= sum(f.verdict == "right" for f in upright)


def test_codes_of_scanned_booklets_are_never_another(data_dir):
    verdicts: Counter[str] = Counter()
    for collection, path, truth in code_pages(data_dir / "scans"):
        if collection == "markus_scanned":
            verdicts.update(real_scans.read_codes_of_pages(path, truth))
    assert verdicts["wrong"] == 0
    assert verdicts["right"] >= 52


def test_the_benchmark_says_when_it_cannot_run():
    with pytest.raises(Unavailable, match="INKMARK_DATA"):
        real_scans.run(Options(data_dir=None))
