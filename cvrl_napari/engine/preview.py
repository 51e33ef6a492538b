"""The network's current mask of the scan on view, as a memory-mapped file that the viewer reads.

The file lies on the scan's own canonical grid. Each preview rewrites only the box of voxels that changed, so a viewer that has
the file mapped copies just that box. Previews come quickly at first, when the mask changes most, and then take a bounded share
of the time; in a run of more than some minutes they and the first ones together stay under a twentieth.
"""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cvrl_napari.config import Plan, Triple
from cvrl_napari.data.prepare import PreparedCase
from cvrl_napari.data.resample import scan_grid_slab, slab_places
from cvrl_napari.engine.events import Box, PreviewReady
from cvrl_napari.engine.predict import predict_case_on_grid
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.nets.output import Net
from cvrl_napari.study.storage import atomic_write

FIRST_SECONDS = (0.5, 3.0, 8.0)
"""Training seconds after which the first previews come, before the steady rhythm starts."""
STEADY_SHARE = 0.04
"""Share of the time that previews may take once the first ones are out."""


@dataclass
class _Unfinished:
    """A mask of which some slabs are not written yet: what the network says, and where it still has to go, next one last."""

    case: str
    probabilities: Tensor
    places: list[slice]


class Previewer:
    """Decides when the scan on view gets a new mask, and makes it.

    A mask of a large scan is brought to the scan's grid slab by slab, one between two steps, the slab around the slice on view
    first.
    """

    def __init__(self, plan: Plan, run: RunFolder) -> None:
        self._plan = plan
        self._run = run
        self._case: str | None = None
        self._slice: int | None = None
        self._unfinished: _Unfinished | None = None
        self._made = 0
        self._cost = 0.0
        self._next = FIRST_SECONDS[0]

    @property
    def case(self) -> str | None:
        """The case on view."""
        return self._case

    def look_at(self, case: str, index: int | None = None) -> None:
        """Show this case from now on; a case not seen before gets its mask after the present step.

        Parameters
        ----------
        index : int, optional
            Slice on view across z of the scan's own grid; None where the person looks across another axis.
        """
        self._slice = index
        if case != self._case:
            self._case, self._unfinished = case, None
            self._next = min(self._next, FIRST_SECONDS[0]) if self._made == 0 else 0.0

    def follow(self, plan: Plan) -> None:
        """Compute by this plan from now on."""
        self._plan = plan

    def is_due(self, seconds: float) -> bool:
        """Whether a preview, or the next slab of one, should be made after `seconds` of training."""
        return self._case is not None and (self._unfinished is not None or seconds >= self._next)

    def make(
        self, student: Net, prepared: PreparedCase, *, step: int, seconds: float, whole: bool = False
    ) -> Iterator[PreviewReady]:
        """Predict the case on view or go on with its mask, write a slab, and yield the event that says what changed.

        Parameters
        ----------
        whole : bool
            Predict it anew, and write the whole mask.
        """
        started = time.monotonic()
        if whole or self._unfinished is None:
            self._cost = 0.0
            self._unfinished = self._predict(student, prepared)
        while self._unfinished is not None:
            box = self._write(self._unfinished, prepared.scan_shape)
            yield PreviewReady(case=prepared.case_id, path=str(self._run.preview(prepared.case_id)), box=box, step=step)
            if not whole:
                break
        self._cost += time.monotonic() - started
        if self._unfinished is None:
            self._decide(seconds)

    def _predict(self, student: Net, prepared: PreparedCase) -> _Unfinished:
        probabilities = predict_case_on_grid(student, prepared, self._plan)
        places = slab_places(len(probabilities), prepared.scan_shape)
        if self._slice is not None:
            index = self._slice
            places.sort(key=lambda place: abs(place.start + place.stop - 1 - 2 * index))
        return _Unfinished(prepared.case_id, probabilities, places[::-1])

    def _write(self, unfinished: _Unfinished, shape: Triple) -> Box | None:
        place = unfinished.places.pop()
        labels = scan_grid_slab(unfinished.probabilities, shape, place).argmax(dim=0).to(torch.uint8).numpy()
        if not unfinished.places:
            self._unfinished = None
        return write_changes(self._run.preview(unfinished.case), labels, shape, place.start)

    def _decide(self, seconds: float) -> None:
        """Decide when the next preview comes."""
        self._made += 1
        if self._made < len(FIRST_SECONDS):
            self._next = max(FIRST_SECONDS[self._made], seconds + 2 * self._cost)
        else:
            self._next = seconds + max(self._plan.preview_seconds, self._cost / STEADY_SHARE)


def write_changes(path: Path, labels: np.ndarray, shape: Triple, start: int = 0) -> Box | None:
    """Bring planes of the .npy file at `path` to `labels` and return the box that changed, None if nothing did.

    Parameters
    ----------
    labels : array of shape (planes, y, x), uint8
    shape : tuple of int
        Voxels of the whole mask (z, y, x); a new file is all zeros elsewhere.
    start : int
        First plane along z that `labels` are of.
    """
    if path.exists():
        mask = np.load(path, mmap_mode="r+")
    else:
        # Written, not only mapped: a full disk is then an error here, not the end of the process at some later touch.
        atomic_write(path, _npy(np.zeros(shape, np.uint8)))
        mask = np.load(path, mmap_mode="r+")
    planes = mask[start : start + len(labels)]
    box = changed_box(planes, labels)
    if box is None:
        return None
    inside = tuple(slice(*bounds) for bounds in box)
    planes[inside] = labels[inside]
    mask.flush()
    (first, last), y, x = box
    return (first + start, last + start), y, x


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


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
