"""What the network tells apart in one scan, as files to take away: features at both levels, and a picture of them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cvrl_napari.config import DeviceName, Triple
from cvrl_napari.engine.dense_features import CellArrays, grids_of, write_features
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.embed_cases import WHAT, row_projectors
from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.engine.embedding_sample import draw_sample
from cvrl_napari.engine.events import EmbeddingsSaved, Event, Progress
from cvrl_napari.engine.feature_picture import draw_features
from cvrl_napari.engine.model_file import load_model
from cvrl_napari.engine.predict import read_for_model
from cvrl_napari.engine.projection import fit_projection
from cvrl_napari.engine.sample_table import save_table
from cvrl_napari.study.case import Case, Scan, images_of
from cvrl_napari.study.storage import atomic_write
from cvrl_napari.volumes.naming import scan_name

ROWS = 20_000
"""Voxels whose low-level features are kept, the predicted classes in equal parts as far as they reach."""


def embed(model: Path, scan: Scan, output: Path, *, device: DeviceName = "auto", seed: int = 0) -> Iterator[Event]:
    """Write the features of a scan to `output`; they are those that the viewer shows (`dense_features`).

    Three files are written. <scan name>_embeddings.npz holds, on the scan's canonical grid:

    * `low` (N, C_low) float16, `voxels` (N, 3) int32 (z, y, x), `labels` (N,) uint8: features, place and predicted class of
      up to 20,000 voxels drawn from the predicted classes in equal parts;
    * `low_projected` (N, P) float16: what the projector makes of `low`; not there when the model has none at this level;
    * `high` (C_high, z', y', x') float16: dense features of the bottleneck; cell (a, b, c) spans the scan's voxels from
      (a, b, c) * `high_cell` to (a + 1, b + 1, c + 1) * `high_cell`, float32 (3,).

    <scan name>_embeddings.csv is a table of the drawn voxels (`sample_table`): place, predicted class by name, uncertainty, and
    the first two principal components of their features, `plot_x` and `plot_y`.

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
    name = scan.id if isinstance(scan, Case) else scan_name(images[0].scan)
    yield Progress(what=WHAT, done=0, total=1)
    volume, image = read_for_model(images, card)
    size: Triple = (image.shape[1], image.shape[2], image.shape[3])
    grids = grids_of(student, size)
    cells = {level: CellArrays(*(np.empty(shape, kind) for kind, shape in grid.layout())) for level, grid in grids.items()}
    for done, total in write_features(student, image, grids, cells):
        yield Progress(what=WHAT, done=done, total=total)
    scales = {level: grid.scale(volume.array.shape, size) for level, grid in grids.items()}
    low = CaseEmbeddings(
        case=name,
        level="low",
        projected=None,
        scale=scales["low"],
        scan_shape=volume.array.shape,
        **cells["low"]._asdict(),
    )
    sample = draw_sample([low], {}, ROWS, seed=seed)
    arrays: dict[str, np.ndarray] = {
        "low": sample.rows.astype(np.float16),
        "voxels": sample.voxels,
        "labels": sample.predicted,
        "high": np.ascontiguousarray(np.moveaxis(cells["high"].features, -1, 0)),
        "high_cell": np.array(scales["high"], np.float32),
    }
    if projector := row_projectors(student.projectors).get("low"):
        arrays["low_projected"] = projector.project(sample.rows).astype(np.float16)
    target = output / f"{name}_embeddings.npz"
    atomic_write(target, lambda path: _save_arrays(path, arrays))
    table = target.with_suffix(".csv")
    places = fit_projection(sample.rows, "pca", seed=seed).points
    save_table(table, sample, places, np.zeros(len(sample), bool), card.classes)
    is_structure = low.predicted > 0
    plane = int(is_structure.sum(axis=(1, 2)).argmax()) if is_structure.any() else low.shape[0] // 2
    slice_map = np.moveaxis(low.features[plane].astype(np.float32), -1, 0)
    colors = {one.id: one.color for one in card.classes}
    pixel_mm = [mm * voxels for mm, voxels in zip(volume.spacing[1:], low.scale[1:], strict=True)]
    picture = draw_features(slice_map, sample.rows, sample.predicted, colors, pixel_mm)
    atomic_write(target.with_suffix(".png"), picture)
    yield EmbeddingsSaved(scan=str(images[0].scan), path=str(target), table=str(table), picture=str(target.with_suffix(".png")))


def _save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:  # given a path, numpy would add a suffix to its name
        np.savez_compressed(file, allow_pickle=False, **arrays)
