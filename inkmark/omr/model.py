"""Options of the bubble reader, and what registration says when it fails."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BubbleOptions", "RegisterOptions", "RegistrationFailure"]


@dataclass(frozen=True, slots=True)
class RegisterOptions:
    """How a sheet is looked for.

    Attributes
    ----------
    max_residual_mm : float
        A registration whose anchors are further than this (root mean square) from where
        its homography puts them is refused.
    min_timing_share : float
        Share of the timing marks that must be seen, 0 to 1.
    min_contrast : float
        Smallest difference of an anchor and the paper, as a share of the paper's grey.
    """

    max_residual_mm: float = 1.0
    min_timing_share: float = 0.5
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
    """How bubbles are told apart.

    Attributes
    ----------
    boundary : float
        Darkness at which a bubble is as likely marked as blank, as a share of what the
        page's own marks have.
    boundary_alone : float
        The same for a bubble that stands out from an otherwise empty group.
    empty : float
        A group is otherwise empty where no other bubble of it is darker than this, in the
        same unit.
    width : float
        Scale of the logistic around the boundary, in the same unit; the page's noise is
        added to it.
    spread : float
        What is added to that scale where marks differ, as a share of their standard
        deviation: a scan that has lost half the ink of some marks has lost others.
    doubt : float
        A bubble is doubtful where neither state is less probable than this.
    default_mark : float
        Darkness beyond an empty bubble expected of a mark where the page has too few
        marks to tell, 0 to 1.
    """

    boundary: float = 0.45
    boundary_alone: float = 0.3
    empty: float = 0.15
    width: float = 0.04
    spread: float = 0.08
    doubt: float = 0.02
    default_mark: float = 0.55
