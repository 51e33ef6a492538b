"""Masks of scans: for a student in training, and for a model file and any scans."""

import math
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cvrl_napari.config import DeviceName, Plan, Triple
from cvrl_napari.data.prepare import PreparedCase, standardize_all
from cvrl_napari.data.resample import network_shape, scan_grid_slabs
from cvrl_napari.engine.device import pick, set_threads
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Event, PredictionSaved, Progress
from cvrl_napari.engine.model_card import ModelCard
from cvrl_napari.engine.model_file import Model, load_model
from cvrl_napari.engine.windows import predict_volume, predict_windows
from cvrl_napari.nets.output import Net
from cvrl_napari.study.case import Case, Image, Scan, images_of, name_cases, named_by
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.naming import scan_name
from cvrl_napari.volumes.volume import Volume
from cvrl_napari.volumes.writing import write

UNCERTAINTY = "_uncertainty"
"""Ends the name of an uncertainty map that lies beside its mask."""
TELL_EVERY_S = 1.0
"""Between two words on the progress of one scan; a short prediction is not spoken of."""
LARGEST_GRID = 512 * 2**20
"""Voxels of a scan on the network's grid that are still computed: 2 GB of float32 a class."""


def predict_case_on_grid(net: Net, case: PreparedCase, plan: Plan) -> Tensor:
    """Return the class probabilities of a prepared case on the network's grid, (K, z, y, x), float32, on the CPU."""
    image = torch.from_numpy(case.image.astype(np.float32))
    return predict_volume(net, image, patch_size=plan.patch_size, overlap=plan.window_overlap)


def network_grid(scan: Volume, card: ModelCard) -> Triple:
    """Return the voxels (z, y, x) of a scan on the grid of a model.

    Raises
    ------
    EngineError
        If they are so many that they would not fit the memory.
    """
    shape = network_shape(scan.array.shape, scan.spacing, card.spacing)
    if math.prod(shape) > LARGEST_GRID:
        raise EngineError(
            f"The scan would have {' x '.join(map(str, shape))} voxels, too many, at the model's voxel size of "
            f"{' x '.join(f'{mm:g}' for mm in card.spacing)} mm.",
            "Cut the scan to the part of interest, or check its voxel size.",
        )
    return shape


def predict(
    model: Path,
    scans: Sequence[Scan],
    output: Path,
    *,
    device: DeviceName = "auto",
    uncertainty: bool = False,
    threads: int = 0,
    window_stride: Triple | None = None,
) -> Iterator[Event]:
    """Write the mask of each scan to `output`/<scan name>.nii.gz, on the scan's own grid.

    Scans of the same name are told apart by the name of their folder, then by a number. A scan that cannot be predicted
    does not keep the others from it.

    Parameters
    ----------
    scans : sequence of paths, images, or sequences of images
        As many images a scan as the model has channels; the mask lies on the first one's grid. A case of a study goes by
        its id.
    uncertainty : bool
        Write also <scan name>_uncertainty.nii.gz: the entropy of the class probabilities, from 0 (sure) to 1
        (all classes equally probable), float32.
    threads : int
        CPU threads; 0 takes all cores.
    window_stride : tuple of int, optional
        Largest distance of neighbouring windows, voxels (z, y, x), in the place of the model's own overlap.

    Yields
    ------
    Progress, PredictionSaved

    Raises
    ------
    EngineError
        If the model cannot be used, or a mask would replace a scan; at the end, if some scans could not be predicted.
    """
    set_threads(threads)
    targets = _name_outputs(scans, output, uncertainty=uncertainty)
    student = load_model(model, pick(device).torch_device)
    failures = []
    for done, (scan, target) in enumerate(zip(scans, targets, strict=True)):
        yield Progress(what="Predicting scans", done=done, total=len(scans))
        images = images_of(scan)
        try:
            yield from _predict_one(student, images, target, uncertainty=uncertainty, window_stride=window_stride)
        except (VolumeError, EngineError, OSError) as error:
            failures.append(f"{images[0].scan}: {error}")
    yield Progress(what="Predicting scans", done=len(scans), total=len(scans))
    if failures:
        raise EngineError(f"{len(failures)} of {len(scans)} scans could not be predicted. {' '.join(failures)}", "")


def _predict_one(
    student: Model, images: Sequence[Image], target: Path, *, uncertainty: bool, window_stride: Triple | None
) -> Iterator[Event]:
    card = student.card
    scan, image = read_for_model(images, card)
    windows = predict_windows(student.net, image, patch_size=card.patch_size, overlap=card.window_overlap, stride=window_stride)
    probabilities = yield from _told_now_and_then(windows, images[0].scan.name)
    labels = np.empty(scan.array.shape, np.uint8)
    entropy = np.empty(scan.array.shape if uncertainty else (0, 0, 0), np.float32)
    for where, slab in scan_grid_slabs(probabilities, scan.array.shape):
        labels[where] = slab.argmax(dim=0).numpy()
        if uncertainty:
            entropy[where] = normalized_entropy(slab).numpy()
    target.parent.mkdir(parents=True, exist_ok=True)
    write(target, scan.with_array(labels))
    if uncertainty:
        write(_uncertainty_path(target), scan.with_array(entropy))
    counts = np.bincount(labels.ravel(), minlength=256)
    volumes = {one.id: float(counts[one.id] * scan.voxel_ml) for one in card.classes}
    yield PredictionSaved(scan=str(images[0].scan), path=str(target), volumes_ml=volumes)


def _told_now_and_then(windows: Generator[tuple[int, int], None, Tensor], scan: str) -> Generator[Progress, None, Tensor]:
    """Yield how far a prediction is where it takes longer than moments; returns the probabilities."""
    told = time.monotonic()
    while True:
        try:
            done, total = next(windows)
        except StopIteration as end:
            probabilities: Tensor = end.value
            return probabilities
        if time.monotonic() - told >= TELL_EVERY_S:
            told = time.monotonic()
            yield Progress(what="Predicting this scan", done=done, total=total, case=scan)


def read_for_model(images: Sequence[Image], card: ModelCard) -> tuple[Volume, Tensor]:
    """Read the images of a case.

    Returns
    -------
    scan : Volume
        The first image.
    image : Tensor of shape (C, z, y, x)
        What the network of `card` sees.

    Raises
    ------
    EngineError
        If they are more or fewer than the network's channels, or too large for the memory.
    VolumeError
        If one cannot be read.
    """
    if len(images) != card.net.in_channels:
        raise EngineError(
            f"The model was trained on {card.net.in_channels} images of each case, here are {len(images)}.",
            "Give the same images in the same order as in training.",
        )
    scan = images[0].read()
    others = (image.read() for image in images[1:])
    return scan, standardize_all(chain([scan], others), network_grid(scan, card))


def normalized_entropy(probabilities: Tensor) -> Tensor:
    """Return the entropy over the classes (first axis) as a share of the largest possible one, in [0, 1]."""
    entropy: Tensor = torch.special.entr(probabilities).sum(dim=0)
    return (entropy / math.log(len(probabilities))).clamp(0, 1)


def _uncertainty_path(target: Path) -> Path:
    return target.with_name(f"{scan_name(target)}{UNCERTAINTY}.nii.gz")


def _name_outputs(scans: Sequence[Scan], output: Path, *, uncertainty: bool) -> list[Path]:
    """Return a path for the mask of each scan: no two files to be written are the same, and none is a scan."""
    images = [images_of(scan) for scan in scans]
    named = iter(name_cases([named_by(one) for one, scan in zip(images, scans, strict=True) if not isinstance(scan, Case)]))
    targets = [output / f"{scan.id if isinstance(scan, Case) else next(named)}.nii.gz" for scan in scans]
    originals = {image.scan.resolve() for one in images for image in one}
    planned = [*targets, *(map(_uncertainty_path, targets) if uncertainty else ())]
    for path in planned:
        if path.resolve() in originals:
            raise EngineError(f"The mask would replace the scan {path}.", "Choose another output folder.")
    twice = [path for path, count in Counter(planned).items() if count > 1]
    if twice:
        raise EngineError(f"A mask and an uncertainty map would both be named {twice[0]}.", "Predict these scans one by one.")
    return targets
