"""Third-party scans read with imported templates, against truth read by eye."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import real_scans
from benchmarks.contract import Options, Unavailable

# Images whose every unambiguous field must be right. The reference picture of sample6 is
# left out: its bubbles are not printed, so its fields must be put to a person.
FLATBED = (
    "Sandeep-1507",
    "scan-type-1",
    "EricSoOSU",
    "Shamanth",
    "ibrahimkilic",
    "sample_roll",
)


@pytest.fixture(scope="module")
def outcomes(omrchecker_dir):
    return {image: fields for image, _, fields in real_scans.read_set(omrchecker_dir)}


def test_flatbed_scans_and_renders_are_all_right(outcomes):
    images = [image for image in outcomes if any(name in image for name in FLATBED)]
    assert len(images) == 10
    wrong = [
        field
        for image in images
        for field in outcomes[image]
        if not field.ambiguous and field.verdict != "right"
    ]
    assert wrong == []


def test_no_photo_or_scan_is_read_silently_wrong(outcomes):
    assert len(outcomes) == 33
    wrong = [f for fields in outcomes.values() for f in fields if f.verdict == "wrong"]
    assert wrong == []


def test_nearly_every_field_of_the_photos_is_read(outcomes):
    verdicts = Counter(f.verdict for fields in outcomes.values() for f in fields)
    assert sum(verdicts.values()) == 1960
    assert verdicts["right"] >= 1950


def test_bubbles_that_are_not_printed_are_put_to_a_person(outcomes):
    (roll,) = outcomes["samples/sample6/reference.png"]
    assert roll.verdict == "rejected"


def test_the_benchmark_counts_what_was_read(data_dir, outcomes):
    result = real_scans.run(Options(data_dir=data_dir))
    rows = {(row.group, row.label): row.value for row in result.rows}
    unambiguous = [f for fields in outcomes.values() for f in fields if not f.ambiguous]
    assert rows["all", "fields"] == len(unambiguous)
    assert rows["all", "silently wrong"] == 0
    assert rows["all", "right"] + rows["all", "rejected"] == len(unambiguous)
    assert len(rows) == len(result.rows)


def test_the_benchmark_says_when_it_cannot_run():
    with pytest.raises(Unavailable, match="INKMARK_DATA"):
        real_scans.run(Options(data_dir=None))
