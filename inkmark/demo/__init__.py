"""The demo: an invented exam with its roster, answers, filled sheets and scans.

Everything follows from the seed, and what every candidate meant is known, so that
reading and scoring can be checked against it.
"""

from __future__ import annotations

from inkmark.demo.answers import DemoAnswer
from inkmark.demo.make import make_demo_exam
from inkmark.demo.scans import DemoScan
from inkmark.demo.truth import DemoNumber, DemoTruth

__all__ = ["DemoAnswer", "DemoNumber", "DemoScan", "DemoTruth", "make_demo_exam"]
