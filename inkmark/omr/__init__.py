"""Optical mark reading: where a sheet lies in an image, and which bubbles are marked."""

from __future__ import annotations

from inkmark.omr._refine import refine
from inkmark.omr._sharpness import edge_width_mm
from inkmark.omr.bubbles import read_bubbles
from inkmark.omr.model import BubbleOptions, RegisterOptions, RegistrationFailure
from inkmark.omr.registration import register

__all__ = [
    "BubbleOptions",
    "RegisterOptions",
    "RegistrationFailure",
    "edge_width_mm",
    "read_bubbles",
    "refine",
    "register",
]
