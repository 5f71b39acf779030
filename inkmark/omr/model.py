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
