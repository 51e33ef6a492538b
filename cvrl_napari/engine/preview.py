"""The network's current mask of the scan on view, as a memory-mapped file that the viewer reads.

The file lies on the scan's own canonical grid. Each preview rewrites only the box of voxels that changed, so a viewer that has
the file mapped copies just that box. Previews come quickly at first, when the mask changes most, and then take a bounded share
of the time.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cvrl_napari.config import Plan
from cvrl_napari.data.prepare import PreparedCase
from cvrl_napari.engine.events import Box, PreviewReady
from cvrl_napari.engine.predict import predict_case
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.nets.output import Net

FIRST_SECONDS = (0.5, 3.0, 8.0)
"""Training seconds after which the first previews come, before the steady rhythm starts."""
LARGEST_SHARE = 0.05
"""Share of the time that previews may take once the first ones are out."""


class Previewer:
    """Decides when the scan on view gets a new mask, and makes it."""

    def __init__(self, plan: Plan, run: RunFolder) -> None:
        self._plan = plan
        self._run = run
        self._case: str | None = None
        self._made = 0
        self._next = FIRST_SECONDS[0]

    @property
    def case(self) -> str | None:
        """The case on view."""
        return self._case

    def look_at(self, case: str) -> None:
        """Show this case from now on; a case not seen before gets its mask after the present step."""
        if case != self._case:
            self._case = case
            self._next = min(self._next, FIRST_SECONDS[0]) if self._made == 0 else 0.0

    def is_due(self, seconds: float) -> bool:
        """Whether a preview should be made after `seconds` of training."""
        return self._case is not None and seconds >= self._next

    def make(self, student: Net, prepared: PreparedCase, *, step: int, seconds: float) -> Iterator[PreviewReady]:
        """Predict the case on view, write its mask, and yield the event that says what changed."""
        started = time.monotonic()
        labels = predict_case(student, prepared, self._plan)
        path = self._run.preview(prepared.case_id)
        box = write_changes(path, labels)
        yield PreviewReady(case=prepared.case_id, path=str(path), box=box, step=step)
        self._made += 1
        cost = time.monotonic() - started
        if self._made < len(FIRST_SECONDS):
            self._next = max(FIRST_SECONDS[self._made], seconds + 2 * cost)
        else:
            self._next = seconds + max(self._plan.preview_seconds, cost / LARGEST_SHARE)


def write_changes(path: Path, labels: np.ndarray) -> Box | None:
    """Bring the .npy file at `path` to `labels` (uint8, (z, y, x)) and return the box that changed, None if nothing did."""
    if path.exists():
        mask = np.load(path, mmap_mode="r+")
    else:
        mask = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=labels.shape)
    box = changed_box(mask, labels)
    if box is not None:
        inside = tuple(slice(*bounds) for bounds in box)
        mask[inside] = labels[inside]
        mask.flush()
    return box


def changed_box(before: np.ndarray, after: np.ndarray) -> Box | None:
    """Return the half-open bounding box of the voxels in which two (z, y, x) arrays differ; None when they are equal."""
    changed = before != after
    if not changed.any():
        return None
    bounds = []
    for axis in range(3):
        where = np.flatnonzero(changed.any(axis=tuple(other for other in range(3) if other != axis)))
        bounds.append((int(where[0]), int(where[-1]) + 1))
    z, y, x = bounds
    return (z, y, x)
