from __future__ import annotations

import numpy as np

from benchmarks._many_pages import numbered_sheets
from benchmarks.read_speed import speed_exam
from inkmark.layouts import build_layout
from inkmark.readings import Flag, SheetReading
from inkmark.session import SerialExecutor, read_scans
from inkmark.simulator import encode_scan


def test_each_candidate_has_a_sheet_with_the_own_number(tmp_path):
    exam = speed_exam(3)
    layout = build_layout(exam)
    one, two = numbered_sheets(exam, layout, 120.0, n_sheets=2, seed=1)
    numbers = ["2601234567", "8907654321", exam.candidates[2].number]
    for k, number in enumerate(numbers):
        encode_scan((one, two, one)[k].page(number), tmp_path / f"{k}.jpg", 120.0)
    readings = list(read_scans([tmp_path], layout, executor=SerialExecutor()))
    answers = []
    for reading, number in zip(readings, numbers, strict=True):
        assert isinstance(reading, SheetReading)
        values = {field.field: field.value for field in reading.fields}
        assert values["candidate"] == number
        assert all(field.flag is Flag.OK for field in reading.fields)
        answers.append([value for name, value in values.items() if name.startswith("Q")])
    assert answers[0] == answers[2] != answers[1]
    assert np.array_equal(one.page("0" * 10), one.by_digit[0])
