"""Statistics on arrays: items, groups, knowledge points, practice selection.

`analyse` gives all figures of an exam. Each figure also stands alone: `make_cohort` settles
who is counted, `item_sums` adds up, and every other function turns these into one table.
A figure that cannot be computed is NaN; nothing warns.
"""

from __future__ import annotations

from inkmark.analytics.analysis import analyse, exam_cohort
from inkmark.analytics.classical import (
    ItemSums,
    cronbach_alpha,
    discrimination,
    group_item_statistics,
    guess_corrected,
    item_statistics,
    item_sums,
    lost_shares,
    paper_statistics,
    spearman_brown,
    standard_error,
    tail_rows,
    tail_size,
)
from inkmark.analytics.cohort import Cohort, GroupIndex, index_groups, make_cohort, threshold
from inkmark.analytics.groups import (
    candidate_statistics,
    competition_rank,
    composite_index,
    effect_size,
    group_statistics,
    relative_difference,
    score_bands,
)
from inkmark.analytics.mastery import (
    group_mastery,
    knowledge_map,
    mastery_table,
    wilson_interval,
)
from inkmark.analytics.model import (
    Analysis,
    AnalysisWarning,
    CandidateStatistics,
    Group,
    GroupItemStatistics,
    GroupKind,
    GroupMastery,
    GroupStatistics,
    ItemStatistics,
    KnowledgeMap,
    MasteryTable,
    OptionShares,
    ScoreBands,
    Standing,
    TestStatistics,
)
from inkmark.analytics.options import option_shares
from inkmark.analytics.practice import (
    Practice,
    PracticePart,
    PracticeSet,
    Reason,
    Shortfall,
    ShortfallKind,
    select_practice,
)

__all__ = [
    "Analysis",
    "AnalysisWarning",
    "CandidateStatistics",
    "Cohort",
    "Group",
    "GroupIndex",
    "GroupItemStatistics",
    "GroupKind",
    "GroupMastery",
    "GroupStatistics",
    "ItemStatistics",
    "ItemSums",
    "KnowledgeMap",
    "MasteryTable",
    "OptionShares",
    "Practice",
    "PracticePart",
    "PracticeSet",
    "Reason",
    "ScoreBands",
    "Shortfall",
    "ShortfallKind",
    "Standing",
    "TestStatistics",
    "analyse",
    "candidate_statistics",
    "competition_rank",
    "composite_index",
    "cronbach_alpha",
    "discrimination",
    "effect_size",
    "exam_cohort",
    "group_item_statistics",
    "group_mastery",
    "group_statistics",
    "guess_corrected",
    "index_groups",
    "item_statistics",
    "item_sums",
    "knowledge_map",
    "lost_shares",
    "make_cohort",
    "mastery_table",
    "option_shares",
    "paper_statistics",
    "relative_difference",
    "score_bands",
    "select_practice",
    "spearman_brown",
    "standard_error",
    "tail_rows",
    "tail_size",
    "threshold",
    "wilson_interval",
]
