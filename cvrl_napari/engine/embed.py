"""What the network tells apart: the student's features of a scan, at the low and the high level, and a picture of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from cvrl_napari.config import DeviceName, Triple
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.embedding_sample import draw_balanced
from cvrl_napari.engine.events import EmbeddingsSaved, Event, Progress
from cvrl_napari.engine.feature_picture import draw_features
from cvrl_napari.engine.model_file import Model, load_model
from cvrl_napari.engine.predict import read_for_model
from cvrl_napari.engine.windows import evaluating, predict_volume
from cvrl_napari.study.case import Case, Scan, images_of
from cvrl_napari.study.storage import atomic_write
from cvrl_napari.volumes.naming import scan_name

ROWS = 20_000
"""Voxels whose low-level features are kept, the predicted classes in equal parts as far as they reach."""


@dataclass(frozen=True)
class Features:
    """Features of one scan.

    Attributes
    ----------
    rows : Tensor of shape (N, C_low)
        Low-level features of the drawn voxels.
    slice_map : Tensor of shape (C_low, y, x)
        Low-level features of one axial slice of the network's grid.
    high : Tensor of shape (C_high, z', y', x')
        High-level features of the whole scan, a cell for each stride^3 voxels of the network's grid, from voxel 0 on.
    """

    rows: Tensor
    slice_map: Tensor
    high: Tensor


def embed(model: Path, scan: Scan, output: Path, *, device: DeviceName = "auto", seed: int = 0) -> Iterator[Event]:
    """Write the features of a scan to `output`.

    Two files are written. <scan name>_embeddings.npz holds, on the scan's canonical grid:

    * `low` (N, C_low) float16, `voxels` (N, 3) int32 (z, y, x), `labels` (N,) uint8: features, place and predicted class of
      up to 20,000 voxels drawn from the predicted classes in equal parts;
    * `high` (C_high, z', y', x') float16: dense features of the bottleneck; cell (a, b, c) spans the scan's voxels from
      (a, b, c) * `high_cell` to (a + 1, b + 1, c + 1) * `high_cell`, float32 (3,).

    <scan name>_embeddings.png shows the first three principal components of the low-level features as red, green and blue
    in the axial slice with most of the structures, and the first two of the drawn voxels in the colors of the classes.

    Yields
    ------
    Progress, EmbeddingsSaved

    Raises
    ------
    EngineError
        If the model cannot be used or the scan is too large for it.
    VolumeError
        If the scan cannot be read.
    """
    student = load_model(model, pick(device).torch_device)
    images, card = images_of(scan), student.card
    what = "Computing features"
    yield Progress(what=what, done=0, total=3)
    volume, image = read_for_model(images, card)
    shape = image.shape[1:]
    labels = predict_volume(student.net, image, patch_size=card.patch_size, overlap=card.window_overlap).argmax(dim=0).numpy()
    yield Progress(what=what, done=1, total=3)
    places = draw_balanced(labels.ravel(), ROWS, np.random.default_rng(seed))
    voxels = np.stack(np.unravel_index(places, labels.shape), axis=1)
    level = int((labels > 0).sum(axis=(1, 2)).argmax()) if labels.any() else len(labels) // 2
    features = extract(student, image, voxels, level)
    yield Progress(what=what, done=2, total=3)
    scale = np.array(volume.array.shape) / np.array(shape)  # voxels of the scan for one of the network's grid
    arrays = {
        "low": features.rows.half().numpy(),
        "voxels": np.clip(np.rint((voxels + 0.5) * scale - 0.5), 0, np.array(volume.array.shape) - 1).astype(np.int32),
        "labels": labels[tuple(voxels.T)].astype(np.uint8),
        "high": features.high.half().numpy(),
        "high_cell": (student.net.stride * scale).astype(np.float32),
    }
    name = scan.id if isinstance(scan, Case) else scan_name(images[0].scan)
    target = output / f"{name}_embeddings.npz"
    atomic_write(target, lambda path: _save_arrays(path, arrays))
    colors = {one.id: one.color for one in card.classes}
    pixel_mm = [mm * factor for mm, factor in zip(volume.spacing[1:], scale[1:], strict=True)]
    picture = draw_features(features.slice_map.numpy(), features.rows.numpy(), arrays["labels"], colors, pixel_mm)
    atomic_write(target.with_suffix(".png"), picture)
    yield Progress(what=what, done=3, total=3)
    yield EmbeddingsSaved(scan=str(images[0].scan), path=str(target), picture=str(target.with_suffix(".png")))


def extract(student: Model, image: Tensor, voxels: npt.NDArray[np.int64], level: int) -> Features:
    """Compute the features of a prepared image (C, z, y, x) patch by patch; the patches meet without overlap.

    Parameters
    ----------
    voxels : array of shape (N, 3)
        Where low-level features are taken from.
    level : int
        The axial slice of which all low-level features are kept.
    """
    net, patch, stride = student.net, student.card.patch_size, student.net.stride
    _, *size = image.shape
    whole = [-(-length // side) * side for length, side in zip(size, patch, strict=True)]
    sides = [side for length, full in zip(reversed(size), reversed(whole), strict=True) for side in (0, full - length)]
    image = F.pad(image[None], sides, mode="replicate")
    rows = torch.empty(len(voxels), net.low_channels)
    slice_map = torch.empty(net.low_channels, whole[1], whole[2])
    high = torch.empty(net.high_channels, *(length // stride for length in whole))
    with evaluating(net) as device:
        for z, y, x in product(*(range(0, full, side) for full, side in zip(whole, patch, strict=True))):
            found = net(image[:, :, z : z + patch[0], y : y + patch[1], x : x + patch[2]].to(device))
            low = found.low[0].float().cpu()
            inside = ((voxels >= (z, y, x)) & (voxels < np.add((z, y, x), patch))).all(axis=1)
            a, b, c = torch.from_numpy(voxels[inside] - (z, y, x)).unbind(dim=1)
            rows[torch.from_numpy(inside)] = low[:, a, b, c].T
            if z <= level < z + patch[0]:
                slice_map[:, y : y + patch[1], x : x + patch[2]] = low[:, level - z]
            cells: Triple = (patch[0] // stride, patch[1] // stride, patch[2] // stride)
            z, y, x = z // stride, y // stride, x // stride
            high[:, z : z + cells[0], y : y + cells[1], x : x + cells[2]] = found.high[0].float().cpu()
    used = [-(-length // stride) for length in size]
    return Features(rows, slice_map[:, : size[1], : size[2]], high[:, : used[0], : used[1], : used[2]])


def _save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:  # given a path, numpy would add a suffix to its name
        np.savez_compressed(file, allow_pickle=False, **arrays)
