"""What a run has told so far, in brief: for a viewer that comes to it in the middle. No torch.

A long run has told of a hundred thousand steps; a curve of some hundred points looks the same and is there at once.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from pydantic import ValidationError

from cvrl_napari.engine.events import Event, StepDone, parse_event

POINTS = 300
"""Steps that are told at most; each stands for as many as came since the one before."""
LOOKED_AT = 10
"""Steps whose losses are averaged for one of these, at most."""
MEASUREMENTS = 60
"""Measurements, and diagnoses, that are told at most, the last one among them."""

_PLANNED, _STEP = b'"kind":"planned"', b'"kind":"step"'
_VALIDATED, _DIAGNOSED = b'"kind":"validated"', b'"kind":"diagnosed"'
_PASSING = tuple(f'"kind":"{kind}"'.encode() for kind in ("preview", "progress", "checkpoint"))
_NUMBER = re.compile(rb'"step":(\d+)')


def in_brief(lines: Sequence[bytes]) -> list[Event]:
    """Return the events of an events.jsonl as whoever looks now needs them, in order; empty before there is a plan.

    They begin with the plan that counts now. Of a run that was taken up again the curves begin at their beginning; what else
    happened before is left out, and so are masks, which lie on the disk.
    """
    planned = max((i for i, line in enumerate(lines) if _PLANNED in line), default=None)
    if planned is None:
        return []
    leg = [line for line in lines[planned + 1 :] if not any(kind in line for kind in _PASSING)]
    begun = next((_number(line) for line in leg if _STEP in line), None)
    before = [line for line in lines[:planned] if _STEP in line or _VALIDATED in line]
    if begun is not None:  # it was taken up at a step before the last one that was told
        before = [line for line in before if _number(line) < begun]
    return [*_parsed(lines[planned : planned + 1]), *_with_fewer_steps(_with_fewer_measurements([*before, *leg]))]


def _with_fewer_measurements(lines: Sequence[bytes]) -> list[bytes]:
    left_out: set[int] = set()
    for kind in (_VALIDATED, _DIAGNOSED):
        found = [i for i, line in enumerate(lines) if kind in line][::-1]
        left_out |= set(found) - set(found[:: -(-len(found) // MEASUREMENTS) or 1])
    return [line for i, line in enumerate(lines) if i not in left_out]


def _with_fewer_steps(lines: Sequence[bytes]) -> Iterator[Event]:
    """Yield the events, of the steps at most `POINTS`."""
    together = -(-sum(_STEP in line for line in lines) // POINTS)
    steps: list[bytes] = []
    for line in lines:
        if _STEP in line:
            steps.append(line)
            if len(steps) == together:
                yield from _as_one(steps)
                steps = []
        else:
            yield from _as_one(steps)
            steps = []
            yield from _parsed([line])
    yield from _as_one(steps)


def _as_one(lines: Sequence[bytes]) -> Iterator[Event]:
    """Yield the last of some steps with the mean losses of all, or of some spread among them."""
    every = -(-len(lines) // LOOKED_AT)
    steps = [event for event in _parsed(lines[::-1][::every] if lines else ()) if isinstance(event, StepDone)]
    if steps:
        last = steps[0]
        names = [name for name in last.losses if all(name in step.losses for step in steps)]
        losses = {name: sum(step.losses[name] for step in steps) / len(steps) for name in names}
        yield last.model_copy(update={"losses": losses})


def _number(line: bytes) -> int:
    found = _NUMBER.search(line)
    return int(found[1]) if found else 0


def _parsed(lines: Iterable[bytes]) -> Iterator[Event]:
    for line in lines:
        try:
            yield parse_event(line)
        except ValidationError:  # cut short by a crash
            continue
