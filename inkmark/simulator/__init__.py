"""Sheets as people fill them and machines see them, for the demo, tests and benchmarks.

``render_pages`` prints to pixels, ``fill_sheet`` puts marks on them and ``write_field`` what
people wrote, ``wear`` damages the paper, ``scan`` and ``photograph`` degrade the image,
``encode_scan`` writes the file a scanner would write. ``simulate`` does all of it under a
`Condition` and keeps the truth. All chance comes from the generator that is passed in: the same
seed gives the same pixels.
"""

from __future__ import annotations

from inkmark.simulator.conditions import (
    LEVEL_2,
    LEVEL_3,
    Condition,
    Effect,
    Level,
    SimulatedPage,
    draw_condition,
    simulate,
    single_effect,
)
from inkmark.simulator.files import encode_scan
from inkmark.simulator.hands import Hand, Ink, Writers, draw_ink
from inkmark.simulator.handwriting import Slip, write_field, write_line
from inkmark.simulator.pages import render_pages
from inkmark.simulator.paper import Damage, SheetModel, damaged_fields, wear
from inkmark.simulator.people import MarkStyle, Meaning, Writer, draw_writer, fill_sheet
from inkmark.simulator.phone import PhoneModel, PhonePose, draw_phone, photograph
from inkmark.simulator.pose import Bulge, Pose
from inkmark.simulator.scanner import (
    CLEAN_OFFICE,
    ORDINARY,
    Bilevel,
    ScannerModel,
    ScannerPose,
    draw_scanner,
    scan,
)

__all__ = [
    "CLEAN_OFFICE",
    "LEVEL_2",
    "LEVEL_3",
    "ORDINARY",
    "Bilevel",
    "Bulge",
    "Condition",
    "Damage",
    "Effect",
    "Hand",
    "Ink",
    "Level",
    "MarkStyle",
    "Meaning",
    "PhoneModel",
    "PhonePose",
    "Pose",
    "ScannerModel",
    "ScannerPose",
    "SheetModel",
    "SimulatedPage",
    "Slip",
    "Writer",
    "Writers",
    "damaged_fields",
    "draw_condition",
    "draw_ink",
    "draw_phone",
    "draw_scanner",
    "draw_writer",
    "encode_scan",
    "fill_sheet",
    "photograph",
    "render_pages",
    "scan",
    "simulate",
    "single_effect",
    "wear",
    "write_field",
    "write_line",
]
