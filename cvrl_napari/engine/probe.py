"""The probe: a few fixed patches on which a run looks at its own embeddings every so often.

It changes nothing: random choices come from generators of its own, the networks run in evaluation mode without gradients.
The patches depend on the cases and the plan's geometry alone, so runs of different methods and seeds compare.
"""

import functools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from cvrl_napari.config import Plan
from cvrl_napari.data.batch import Batch
from cvrl_napari.data.prepare import PreparedCase
from cvrl_napari.data.streams import TwoStreamLoader
from cvrl_napari.engine.diagnostics import (
    alignment,
    confident_share,
    correlation_matrix,
    cross_correlation,
    effective_rank,
    spread,
    uniformity,
)
from cvrl_napari.engine.events import Diagnosed, LevelDiagnosis
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.schedule import Clock
from cvrl_napari.methods.cvrl import CVRL
from cvrl_napari.methods.key_queue import KeyQueue
from cvrl_napari.methods.mean_teacher import MeanTeacher
from cvrl_napari.methods.method import Method
from cvrl_napari.study.storage import atomic_write

LARGEST_SHARE = 0.01
"""Share of the training time that diagnosing may take."""
EVERY_SECONDS = 20.0
"""Training seconds between two diagnoses, at least."""
CASES = 2
"""Labeled and unlabeled cases that the patches are from, as many of each: the first ones."""
VOXELS = 1024
"""Voxels looked at on each level, at most."""
SEED = 20220918
"""Of the patches and voxels, the same for every run."""


class Probe:
    """Diagnoses the embeddings of a method on fixed patches; the correlations of the features go into the run's folder."""

    def __init__(self, plan: Plan, run: RunFolder | None = None) -> None:
        self._plan = plan
        self._run = run
        self._patches: Batch | None = None
        self._next = EVERY_SECONDS

    def follow(self, plan: Plan) -> None:
        """Compute by this plan from now on."""
        self._plan = plan

    def is_due(self, seconds: float) -> bool:
        """Whether to diagnose after `seconds` of training."""
        return seconds >= self._next

    def diagnose(
        self, method: Method, labeled: Sequence[PreparedCase], unlabeled: Sequence[PreparedCase], clock: Clock
    ) -> Iterator[Diagnosed]:
        """Diagnose now, and decide when it is due again; the patches are cut from these cases the first time."""
        started = time.monotonic()
        self._patches = self._patches or _cut(labeled, unlabeled, self._plan)
        with _undisturbed(method):  # nothing is yielded inside: whoever listens would be without gradients
            diagnosed = self._look(method, self._patches, clock.step)
        self._next = clock.seconds + max(EVERY_SECONDS, (time.monotonic() - started) / LARGEST_SHARE)
        yield diagnosed

    def _look(self, method: Method, patches: Batch, step: int) -> Diagnosed:
        device = next(method.parameters()).device
        teacher = method.teacher if isinstance(method, MeanTeacher | CVRL) else method.student
        precision = self._plan.precision
        with torch.autocast(device.type, dtype=getattr(torch, precision), enabled=precision != "float32"):
            ours = method.student(patches.student_images.to(device))
            theirs = teacher(patches.teacher_images.to(device))
        levels = {}
        for name in ("low", "high"):
            rows, other_rows = _same_voxels(getattr(ours, name), getattr(theirs, name))
            if isinstance(method, CVRL) and name in method.levels:
                rows, other_rows = method.projectors[name](rows), method.teacher_projectors[name](other_rows)
            levels[name] = LevelDiagnosis(
                effective_rank=effective_rank(rows),
                spread=spread(rows),
                cross_correlation=cross_correlation(rows, other_rows),
                alignment=alignment(rows, other_rows),
                uniformity=uniformity(rows),
                queue_age=_queue_age(method, name),
            )
            if self._run is not None:  # written over each time: a run leaves one matrix a level
                matrix = correlation_matrix(rows, other_rows).float().cpu().numpy()
                atomic_write(self._run.correlation(name), functools.partial(_save, matrix))
        return Diagnosed(step=step, levels=levels, confident=confident_share(theirs.logits.float().softmax(dim=1)))


def _save(matrix: np.ndarray, path: Path) -> None:
    with path.open("wb") as file:  # given a path, numpy would add a suffix to its name
        np.save(file, matrix)


def _cut(labeled: Sequence[PreparedCase], unlabeled: Sequence[PreparedCase], plan: Plan) -> Batch:
    first = {case.case_id: case for case in (*labeled[:CASES], *unlabeled[:CASES])}
    ids = list(first)
    return TwoStreamLoader(ids[: len(labeled[:CASES])], ids[len(labeled[:CASES]) :], first, plan, SEED).next()


@contextmanager
def _undisturbed(method: nn.Module) -> Iterator[None]:
    was_training = method.training
    method.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        method.train(was_training)


def _same_voxels(ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    """Draw up to `VOXELS` rows from two maps (B, C, z, y, x), the same places in both and at every look."""
    count = ours[:, 0].numel()
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(SEED))[:VOXELS].to(ours.device)
    first, second = (one.movedim(1, -1).flatten(0, 3)[chosen].float() for one in (ours, theirs))
    return first, second


def _queue_age(method: Method, level: str) -> int | None:
    if not isinstance(method, CVRL) or level not in method.levels:
        return None
    return cast(KeyQueue, method.queues[level]).age()
