"""What a run would do if it were started now, and whether it can: told before it is started."""

import math
from collections.abc import Iterator

from cvrl_napari.config import Plan, TrainRequest, Triple
from cvrl_napari.engine.device import DeviceInfo, pick
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Foreseen
from cvrl_napari.engine.footprint import (
    disk_bytes,
    earlier_memory,
    estimated_memory,
    free_disk,
    free_memory,
    least_memory,
)
from cvrl_napari.engine.outlook_words import in_gb
from cvrl_napari.engine.pace import earlier_step, measured_step, seconds_of
from cvrl_napari.engine.plan import median_geometry, resolve
from cvrl_napari.study.study import Study


def foresee(study: Study, request: TrainRequest) -> Iterator[Foreseen]:
    """Resolve the plan of a request and say how long it takes and what it needs. Nothing is written.

    Yields
    ------
    Foreseen
        Once.

    Raises
    ------
    EngineError
        If the training cannot work: as `resolve` says, or because memory or disk cannot suffice.
    VolumeError, StudyError
        If none of the scans can be read.
    """
    device = pick(request.device)
    plan = resolve(study, request, device)
    shape, spacing = median_geometry(study, plan.labeled_cases, plan.unlabeled_cases)
    _check_disk(study, plan, math.prod(n * a / b for n, a, b in zip(shape, spacing, plan.spacing, strict=True)))
    weighed = earlier_memory(study.runs_folder, plan)
    memory = weighed or estimated_memory(plan, shape)
    warning = _check_memory(plan, memory, shape, device)
    timed = None if plan.minutes else earlier_step(study.runs_folder, plan)
    labels_step = 0.0 if plan.minutes else timed or measured_step(plan)
    yield Foreseen(
        plan=plan,
        seconds=seconds_of(plan, labels_step),
        is_timed=plan.minutes is not None or timed is not None,
        memory_bytes=memory,
        is_weighed=weighed is not None,
        warning=warning,
    )


def _check_disk(study: Study, plan: Plan, voxels: float) -> None:
    prepared = len(list(study.cache_folder.glob("*/*.json"))) if study.cache_folder.is_dir() else 0
    needed, free = disk_bytes(plan, voxels, prepared), free_disk(study.runs_folder)
    if free < needed:
        raise EngineError(
            f"There is too little space on the disk of the study: about {in_gb(needed)} are needed, {in_gb(free)} are free.",
            "Free some space, or move the study to another disk.",
        )


def _check_memory(plan: Plan, memory: int, shape: Triple, device: DeviceInfo) -> str:
    """Refuse what cannot fit however it is done; return a warning where it fits only slowly."""
    where = "the graphics card" if plan.device == "cuda" else "this computer"
    least = least_memory(plan, shape)
    if least > device.memory_bytes:
        raise EngineError(
            f"The memory of {where} is too small: about {in_gb(least)} are needed, it has {in_gb(device.memory_bytes)}.",
            "Choose the preset 'quick', or a larger computer.",
        )
    free = free_memory(plan)
    if memory <= free:
        return ""
    return f"Only {in_gb(free)} of the memory of {where} are free: the training will take smaller parts, and longer."
