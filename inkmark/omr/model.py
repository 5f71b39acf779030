"""Options of the bubble reader, and what registration says when it fails."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BubbleOptions", "RegisterOptions", "RegistrationFailure"]


@dataclass(frozen=True, slots=True)
class RegisterOptions:
    """How a sheet is looked for, and when it is refused.

    Attributes
    ----------
    max_residual_mm : float
        A registration is refused whose residual is more than this: root mean square distance
        of the anchors along two sides from where their neighbours say they are. Clean and
        dithered scans have 0.05 to 0.1 mm, photos up to 0.2, a page that slipped by 1.5 mm in
        the feeder 0.23. Bubbles are read within half their height, 1.5 mm for the smallest of
        our own sheets, so that five times this limit still lies inside.
    max_jump_mm : float
        The same for the worst single anchor. A slip of the feeder by 2 mm between two marks
        is such a jump; so is a mark that was taken for its neighbour.
    max_bend_mm : float
        Largest root mean square distance of all anchors from a flat sheet in perspective.
    min_timing_share : float
        Share of the timing marks that must be seen, 0 to 1,
    min_side_share : float
        and of those of one side: what lies between is known from both sides alone.
    min_contrast : float
        Smallest difference of an anchor and the paper, as a share of the paper's grey.
    """

    max_residual_mm: float = 0.3
    max_jump_mm: float = 1.0
    max_bend_mm: float = 2.0
    min_timing_share: float = 0.5
    min_side_share: float = 0.3
    min_contrast: float = 0.2


@dataclass(frozen=True, slots=True)
class RegistrationFailure:
    """Why a page could not be registered.

    Attributes
    ----------
    reason : str
        What was not found or does not fit, in a few words.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class BubbleOptions:
    """How surely bubbles of our own sheets are told apart.

    Attributes
    ----------
    silent_error_rate : float
        Of the groups of bubbles that nobody is asked to look at, no larger share than this
        is to be read otherwise than it is marked. A smaller rate flags more.
    undetected_disputes : float
        Of the groups with a mark that people do not agree on (a dot, half a fill, a ring
        around the bubble, a smudge), no larger share than this is to be decided without a
        person, where a mark is read. A smaller share flags more of the hasty and light marks
        as well.
    undetected_marks : float
        The same where no mark is read, and the question is whether there is one: beside the
        bubble, or so light that it hardly shows.
    """

    silent_error_rate: float = 1e-4
    undetected_disputes: float = 0.14
    undetected_marks: float = 0.04
