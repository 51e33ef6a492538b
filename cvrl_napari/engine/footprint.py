"""How much memory and disk a plan needs, as far as that can be told before it is tried.

The figures were fitted to measured trainings (docs/benchmarks.md, *Before the start*). What runs leave in their events
(`CheckpointSaved.memory_bytes`) is better, and taken where there is some.
"""

import shutil
from pathlib import Path

import psutil
import torch

from cvrl_napari.config import Plan, Triple
from cvrl_napari.engine.events import CheckpointSaved
from cvrl_napari.engine.memory_ladder import next_rung
from cvrl_napari.engine.pace import computes_alike, earlier_runs
from cvrl_napari.methods.build import build_method

MIB = 2**20
EMPTY = 330 * MIB
"""Of a process that has loaded torch and the engine."""
PER_VOXEL = {"compact": 650.0, "vnet": 1_250.0}
"""Bytes that a training keeps for each voxel of a batch, at 16 channels of full resolution."""
KEPT_WHEN_RECOMPUTED = 0.45
HALF_LENGTH = 0.6
SCAN_BYTES = 8.0
"""For each voxel of a scan that is being prepared or predicted."""
PREPARED_BYTES = 3
"""On the disk for each voxel at the network's size: an image of two bytes, labels of one."""


def estimated_memory(plan: Plan, scan_shape: Triple) -> int:
    """Estimate the most bytes that a training by this plan holds, of the graphics card if it computes there.

    Parameters
    ----------
    scan_shape : three integers (z, y, x)
        Of a usual scan, in its own voxels.
    """
    patches = plan.labeled_batch + (plan.unlabeled_batch if plan.unlabeled_cases else 0)
    voxels = patches / plan.micro_batches * plan.patch_size[0] * plan.patch_size[1] * plan.patch_size[2]
    maps = voxels * PER_VOXEL[plan.net.name] * plan.net.width / 16
    maps *= KEPT_WHEN_RECOMPUTED if plan.net.recompute else 1.0
    maps *= 1.0 if plan.precision == "float32" else HALF_LENGTH
    scans = 0.0 if plan.device == "cuda" else SCAN_BYTES * scan_shape[0] * scan_shape[1] * scan_shape[2]
    return int(EMPTY + maps + 1.5 * state_bytes(plan) + scans)


def earlier_memory(runs: Path, plan: Plan) -> int | None:
    """Return the most bytes that the newest earlier run held which was like this plan; None while there is none."""
    for earlier, events in earlier_runs(runs):
        alike = computes_alike(plan, earlier) and plan.method == earlier.method
        found = [one.memory_bytes for one in events if isinstance(one, CheckpointSaved) and one.memory_bytes]
        if alike and found:
            return max(found)
    return None


def least_memory(plan: Plan, scan_shape: Triple) -> int:
    """Estimate the bytes of the cheapest plan that a run would climb down to."""
    while (rung := next_rung(plan)) is not None:
        plan = rung.plan
    return estimated_memory(plan, scan_shape)


def state_bytes(plan: Plan) -> int:
    """Return the bytes of a checkpoint: weights, the teacher's, the optimizer's, queues. Nothing is computed."""
    with torch.device("meta"):
        method = build_method(plan)
    weights = sum(one.numel() * one.element_size() for one in method.state_dict().values() if isinstance(one, torch.Tensor))
    trained = sum(one.numel() * one.element_size() for one in method.parameters() if one.requires_grad)
    return weights + 2 * trained


def disk_bytes(plan: Plan, voxels_of_a_scan: float, prepared: int) -> int:
    """Estimate the bytes that a run will write: a checkpoint beside the former one, the model, scans not prepared yet.

    Parameters
    ----------
    voxels_of_a_scan : float
        At the network's voxel size.
    prepared : int
        Scans that lie in the cache already.
    """
    scans = len(plan.labeled_cases) + len(plan.unlabeled_cases) + len(plan.held_out_cases)
    return int(3 * state_bytes(plan) + max(scans - prepared, 0) * PREPARED_BYTES * voxels_of_a_scan * plan.net.in_channels)


def free_memory(plan: Plan) -> int:
    """Return the bytes of the device that nobody uses."""
    if plan.device == "cuda":
        return torch.cuda.mem_get_info()[0]
    return psutil.virtual_memory().available


def free_disk(folder: Path) -> int:
    """Return the free bytes where a folder lies or will lie."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
