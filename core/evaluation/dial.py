"""The wrong-corpus dial: accuracy and abstention of each arm over the share of its passages that were near misses.

Knows scored rows and variants; asks and swaps nothing (see variants.py).
"""

from collections.abc import Sequence

from core.evaluation import statistics
from core.evaluation.questions import ABSTAIN, TICKET, TONE
from core.evaluation.records import Dialled, Row
from core.evaluation.variants import Variant


def dial(rows: Sequence[Row], variants: Sequence[Variant]) -> tuple[Dialled, ...]:
    """The points of all arms that were dialled, by arm and share."""
    first = [row for row in rows if not row.problem and not row.repeat]
    facts = [row for row in first if row.cls not in (ABSTAIN, TONE, TICKET)]
    by_arm = {variant.arm: {row.number: row for row in facts if row.arm == variant.arm} for variant in variants}
    points = [
        _point(variant, by_arm[variant.arm], by_arm.get(variant.of, {})) for variant in variants if by_arm[variant.arm]
    ]
    return tuple(sorted(points, key=lambda point: (point.arm, point.wrong)))


def _point(variant: Variant, own: dict[int, Row], before: dict[int, Row]) -> Dialled:
    groups = [row.group for row in own.values()]
    common = [number for number in own if number in before]
    loss = None
    if variant.wrong and common:
        gaps = [float(own[number].right) - float(before[number].right) for number in common]
        loss = statistics.difference(gaps, [own[number].group for number in common])
    return Dialled(
        arm=variant.of,
        wrong=variant.wrong,
        accuracy=statistics.accuracy([row.right for row in own.values()], groups),
        abstained=statistics.accuracy([row.abstained for row in own.values()], groups),
        held=statistics.accuracy([bool(row.hit) for row in own.values()], groups),
        loss=loss,
    )
