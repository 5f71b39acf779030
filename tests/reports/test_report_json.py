import dataclasses
import json
import re
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from sample_results import make_results

from inkmark.reports import model, report_schema, report_to_json, write_report_json


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_fits_its_schema(language, tmp_path):
    report = make_results(language=language).report(include_ranks=True)
    path = tmp_path / "report.json"
    write_report_json(report, path)
    jsonschema.Draft202012Validator.check_schema(report_schema())
    data = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(data, report_schema())
    assert data["format"] == "inkmark-report/1"
    assert data["students"][0]["name"] == report.students[0].name


def test_an_empty_report_fits_as_well():
    report = make_results(n=2, classes=1, absent=2, pending=0).report(compare=False)
    jsonschema.validate(report_to_json(report), report_schema())


def test_the_schema_knows_each_field_and_no_other():
    defined = report_schema()["$defs"]
    classes = {
        name: value
        for name, value in vars(model).items()
        if dataclasses.is_dataclass(value) and name in model.__all__
    }
    assert set(defined) == set(classes) - {"Report", "ReportOptions"}
    for name, schema in [*defined.items(), ("Report", report_schema())]:
        fields = {field.name for field in dataclasses.fields(classes[name])}
        assert set(schema["properties"]) - {"format"} == fields, name
        assert set(schema["required"]) - {"format"} == fields, name


def test_figures_have_just_the_decimals_that_are_shown(tmp_path):
    report = make_results().report()
    path = tmp_path / "report.json"
    write_report_json(report, path)
    data = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
    rates = [str(item["facility"]) for item in data["items"]]
    assert [Decimal(rate) for rate in rates] == [item.facility for item in report.items]
    assert all(len(rate.partition(".")[2]) <= 3 for rate in rates)


def test_every_part_and_field_is_documented():
    page = Path(__file__).parents[2] / "docs" / "formats" / "report-json.md"
    parts = page.read_text(encoding="utf-8").split("\n## ")[1:]
    documented = {
        part.split("\n")[0].strip("`"): re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE)
        for part in parts
    }
    schema = report_schema()
    expected = {name: list(part["properties"]) for name, part in schema["$defs"].items()}
    expected["The whole"] = list(schema["properties"])
    assert documented == expected


def test_equal_reports_give_equal_bytes_and_no_draft_is_left(tmp_path):
    report = make_results().report()
    for name in ("a.json", "b.json"):
        write_report_json(report, tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]
