"""Results of the statistics: frozen values, parallel arrays, every N beside its figure.

Letters in the shapes: n candidates, m items, g groups, k knowledge points, b score bands,
r rows of the option table. A figure that cannot be computed is NaN, and its N says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum

import numpy as np
import numpy.typing as npt

__all__ = [
    "Analysis",
    "AnalysisWarning",
    "BoolArray",
    "CandidateStatistics",
    "FloatArray",
    "Group",
    "GroupItemStatistics",
    "GroupKind",
    "GroupMastery",
    "GroupStatistics",
    "IntArray",
    "ItemStatistics",
    "KnowledgeMap",
    "MasteryTable",
    "OptionShares",
    "ScoreBands",
    "Standing",
    "TestStatistics",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AnalysisWarning:
    """What an analysis left out or could not settle; the rest of it went on.

    Attributes
    ----------
    code : str
        The kind of warning in short, such as ``constant-item``.
    subject : str
        The item, candidate, attribute or group concerned; empty where it is the whole.
    message : str
        What was found, what was done, and what would help.
    """

    code: str
    subject: str
    message: str


class Standing(IntEnum):
    """Whether a candidate's total counts, and if not, why."""

    COUNTED = 0
    ABSENT = 1
    """缺考, where the policy does not count absence as zero."""
    NO_SCORES = 2
    """Not absent, and not one item has a score."""
    INCOMPLETE = 3
    """Some items have no score yet."""


class GroupKind(StrEnum):
    """What a row of a group table stands for."""

    ALL = "all"
    SCHOOL = "school"
    CLASS = "class"


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """A row of every group table.

    Attributes
    ----------
    kind : GroupKind
    school : str
        Empty for all candidates, and where the roster names no school.
    class_name : str
        Empty unless `kind` is ``CLASS``. Classes of one name in two schools are two groups.
    """

    kind: GroupKind
    school: str = ""
    class_name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class CandidateStatistics:
    """A row per candidate.

    Attributes
    ----------
    candidates : tuple of str
        Candidate numbers, in the order of the score matrix.
    standing : (n,) int64
        A `Standing` each.
    total : (n,) float64
        Points; NaN unless counted.
    rank, school_rank, class_rank : (n,) int64
        Competition rank (1, 1, 3) by total among all, in the school, in the class;
        0 where the candidate has no total or no such group.
    school_row, class_row : (n,) int64
        The candidate's row in the group tables; -1 for none.
    """

    candidates: tuple[str, ...]
    standing: IntArray
    total: FloatArray
    rank: IntArray
    school_rank: IntArray
    class_rank: IntArray
    school_row: IntArray
    class_row: IntArray


@dataclass(frozen=True, slots=True)
class TestStatistics:
    """Figures of the whole paper, over the candidates counted.

    Attributes
    ----------
    n : int
        Candidates counted (实考): those with a score on every item.
    n_absent, n_no_scores, n_incomplete : int
        Candidates left out, by reason.
    full : float
        Full mark F in points.
    mean, rate : float
        Mean x̄ in points and x̄ / F (得分率, the facility of the paper).
    sd, sd_sample : float
        Standard deviation in points with divisor N, and with N - 1.
    cv : float
        Coefficient of variation sd / x̄ (差异系数), a share.
    minimum, q1, median, q3, maximum : float
        In points; quartiles by linear interpolation.
    tail_n : int
        Candidates in each of the upper and the lower group: round(.27 N), half up.
    discrimination : float
        (x̄_upper - x̄_lower) / F.
    alpha : float
        Cronbach's alpha over all items.
    split_half : float
        Odd and even items correlated, stepped up by Spearman and Brown.
    sem : float
        Standard error of measurement in points, sd √(1 - alpha).
    """

    __test__ = False  # the name is the field's word, not a test case for pytest

    n: int
    n_absent: int
    n_no_scores: int
    n_incomplete: int
    full: float
    mean: float
    rate: float
    sd: float
    sd_sample: float
    cv: float
    minimum: float
    q1: float
    median: float
    q3: float
    maximum: float
    tail_n: int
    discrimination: float
    alpha: float
    split_half: float
    sem: float

    @property
    def range(self) -> float:
        """Highest minus lowest total (全距)."""
        return self.maximum - self.minimum

    @property
    def iqr(self) -> float:
        """Upper minus lower quartile (四分位距)."""
        return self.q3 - self.q1


@dataclass(frozen=True, slots=True, eq=False)
class ItemStatistics:
    """A column per item.

    Attributes
    ----------
    items : tuple of str
        Item numbers in printed order.
    full : (m,) float64
        Full mark F_i in points.
    n : (m,) int64
        Candidates with a score on the item: the N of `mean` to `zero_rate`.
    mean, facility : (m,) float64
        Mean in points and mean / F_i (难度 P). Negative marking can make both negative.
    full_rate, zero_rate : (m,) float64
        Shares with the full mark (满分率), and with zero points or less (零分率).
    lost_share : (m,) float64
        The item's share of all points lost on the paper, F_i (1 - P_i) / Σ F (1 - P).
    n_totals : int
        Candidates with a total: the N of the figures below.
    tail_n : int
        Candidates in each of the upper and the lower group.
    upper_facility, lower_facility : (m,) float64
        Facility in the two groups.
    discrimination : (m,) float64
        (x̄_upper - x̄_lower) / F_i (区分度 D).
    range_discrimination : (m,) float64
        (X_upper - X_lower) / (n (H - L)), with H and L the highest and the lowest score
        that occurs; the usual form for subjective items.
    item_total, item_rest : (m,) float64
        Correlation with the total, and with the total without the item.
    """

    items: tuple[str, ...]
    full: FloatArray
    n: IntArray
    mean: FloatArray
    facility: FloatArray
    full_rate: FloatArray
    zero_rate: FloatArray
    lost_share: FloatArray
    n_totals: int
    tail_n: int
    upper_facility: FloatArray
    lower_facility: FloatArray
    discrimination: FloatArray
    range_discrimination: FloatArray
    item_total: FloatArray
    item_rest: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class OptionShares:
    """A row per item and option, items in printed order; the last row of an item is blank.

    Attributes
    ----------
    item : (r,) int64
        Index of the item in the score matrix.
    option : tuple of str
        Option label; empty for "blank".
    keyed : (r,) bool
        Whether the option belongs to the key.
    n : (r,) int64
        Candidates with a score on the item.
    count : (r,) int64
        How many of them chose the option. Someone who marked two options counts for both.
    share : (r,) float64
        count / n.
    upper, lower : (r,) float64
        The share in the upper and in the lower group by total.
    nobody : (r,) bool
        An option that not one of n > 0 candidates chose.
    upper_prefers : (r,) bool
        A distractor that more of the upper than of the lower group chose.
    """

    item: IntArray
    option: tuple[str, ...]
    keyed: BoolArray
    n: IntArray
    count: IntArray
    share: FloatArray
    upper: FloatArray
    lower: FloatArray
    nobody: BoolArray
    upper_prefers: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class GroupStatistics:
    """A row per group; row 0 is everybody.

    Attributes
    ----------
    groups : tuple of Group
        All candidates, then schools, then classes, each in the order of their names.
    registered : (g,) int64
        Candidates in the group.
    n : (g,) int64
        Candidates counted: the N of every figure here.
    n_absent, n_no_scores, n_incomplete : (g,) int64
        Candidates left out, by reason; with `n` they add up to `registered`.
    mean, rate, sd, minimum, median, maximum, alpha, sem : (g,) float64
        As in `TestStatistics`.
    excellent, good, passing : (g,) float64
        Shares with a total at or above the policy's threshold; `good` includes `excellent`.
    good_only : (g,) float64
        Share at or above good and below excellent.
    low : (g,) float64
        Share with a total below the policy's threshold.
    difference : (g,) float64
        x̄_group - x̄_all in points (离均差).
    relative_difference : (g,) float64
        (x̄_group - x̄_all) / x̄_all (超均率), a share.
    ratio : (g,) float64
        x̄_group / x̄_all (比均率).
    effect_size : (g,) float64
        (x̄_group - x̄_all) / sd_all.
    """

    groups: tuple[Group, ...]
    registered: IntArray
    n: IntArray
    n_absent: IntArray
    n_no_scores: IntArray
    n_incomplete: IntArray
    mean: FloatArray
    rate: FloatArray
    sd: FloatArray
    minimum: FloatArray
    median: FloatArray
    maximum: FloatArray
    alpha: FloatArray
    sem: FloatArray
    excellent: FloatArray
    good: FloatArray
    good_only: FloatArray
    passing: FloatArray
    low: FloatArray
    difference: FloatArray
    relative_difference: FloatArray
    ratio: FloatArray
    effect_size: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class GroupItemStatistics:
    """A row per group and a column per item; rows as in `GroupStatistics`.

    Attributes
    ----------
    n : (g, m) int64
        Candidates of the group with a score on the item.
    mean, facility, full_rate, zero_rate, lost_share : (g, m) float64
        As in `ItemStatistics`, within the group.
    difference : (g, m) float64
        Facility in the group minus facility of everybody.
    tail_n : (g,) int64
        Candidates in each of the group's own upper and lower group.
    discrimination, item_rest : (g, m) float64
        As in `ItemStatistics`, within the group: with few candidates mostly chance.
    """

    n: IntArray
    mean: FloatArray
    facility: FloatArray
    full_rate: FloatArray
    zero_rate: FloatArray
    lost_share: FloatArray
    difference: FloatArray
    tail_n: IntArray
    discrimination: FloatArray
    item_rest: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBands:
    """How the totals lie; rows as in `GroupStatistics`.

    Attributes
    ----------
    edges : (b + 1,) float64
        In points, ascending. Band i is [edges[i], edges[i + 1]); the last one is closed.
    counts : (g, b) int64
        Candidates in each band; a row adds up to the group's n.
    """

    edges: FloatArray
    counts: IntArray

    @property
    def shares(self) -> FloatArray:
        """(g, b) float64: the share of each band in its group; NaN in an empty group."""
        n = self.counts.sum(axis=1, keepdims=True)
        shares: FloatArray = self.counts / np.where(n > 0, n, np.nan)
        return shares

    @property
    def at_or_above(self) -> IntArray:
        """(g, b) int64: candidates in the band or a higher one (累计人数)."""
        return np.cumsum(self.counts[:, ::-1], axis=1)[:, ::-1]


@dataclass(frozen=True, slots=True, eq=False)
class KnowledgeMap:
    """Which knowledge points an item tests, and with which weight (双向细目表).

    Attributes
    ----------
    points : tuple of str
        Knowledge points, each once, in the order of their first item.
    weights : (m, k) float64
        The share of the item's points that belongs to the knowledge point. A row adds up
        to 1, or to 0 for an item that is void or has no knowledge point.
    """

    points: tuple[str, ...]
    weights: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class MasteryTable:
    """Mastery (掌握率) of each candidate on each knowledge point.

    Only items on which the candidate has a score are evidence.

    Attributes
    ----------
    candidates, points : tuple of str
    gained, possible : (n, k) float64
        Weighted points gained, and the weighted full mark of the items with a score.
    n_items : (n, k) int64
        Items with a score that test the point.
    rate : (n, k) float64
        gained / possible, held within 0 and 1; NaN without evidence.
    low, high : (n, k) float64
        95 % Wilson interval of `rate` with `possible` as the number of trials.
    enough : (n, k) bool
        Whether `possible` and `n_items` reach the policy's floors. Below them a report
        says that there is not enough evidence, and does not print the rate.
    """

    candidates: tuple[str, ...]
    points: tuple[str, ...]
    gained: FloatArray
    possible: FloatArray
    n_items: IntArray
    rate: FloatArray
    low: FloatArray
    high: FloatArray
    enough: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class GroupMastery:
    """Mastery of each group; rows as in `GroupStatistics`, a column per knowledge point.

    Attributes
    ----------
    points : tuple of str
    full : (k,) float64
        Weighted full mark of the point on the paper.
    n_items : (k,) int64
        Items on the paper that test the point.
    enough : (k,) bool
        Whether `full` and `n_items` reach the policy's floors.
    n : (g, k) int64
        Candidates of the group with evidence on the point.
    rate : (g, k) float64
        Points gained by them / points possible for them, held within 0 and 1.
    difference : (g, k) float64
        `rate` minus that of everybody.
    below : (g, k) float64
        Share of the n candidates whose own rate is below the pass threshold.
    lost_share : (g, k) float64
        The point's share of the points that the group lost on all knowledge points.
    weak : tuple of tuple of int
        For each group its weak common points (共性薄弱点): columns with enough evidence
        on which the group's rate is below the pass threshold, the lowest rate first.
    """

    points: tuple[str, ...]
    full: FloatArray
    n_items: IntArray
    enough: BoolArray
    n: IntArray
    rate: FloatArray
    difference: FloatArray
    below: FloatArray
    lost_share: FloatArray
    weak: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Everything a report says about one exam.

    Attributes
    ----------
    full_mark : Decimal
        Of the items in the score matrix, in points.
    candidates, test, items : CandidateStatistics, TestStatistics, ItemStatistics
    options : OptionShares or None
        None where no responses were given.
    groups, group_items, bands : GroupStatistics, GroupItemStatistics, ScoreBands
    knowledge, mastery, group_mastery : KnowledgeMap, MasteryTable, GroupMastery
    """

    full_mark: Decimal
    candidates: CandidateStatistics
    test: TestStatistics
    items: ItemStatistics
    options: OptionShares | None
    groups: GroupStatistics
    group_items: GroupItemStatistics
    bands: ScoreBands
    knowledge: KnowledgeMap
    mastery: MasteryTable
    group_mastery: GroupMastery
