"""Layers as files that lie where the scan they were made on lies; a mask with the names and colors of its layer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cvrl_napari.gui.placement import (
    AFFINE_KEY,
    PAINTED_BACKGROUND_KEY,
    PART_KEY,
    RESAMPLED_KEY,
    SOURCE_KEY,
    placed_affine,
    placement,
)
from cvrl_napari.volumes.errors import SeveralVolumesError, UnevenSlicesError, VolumeError
from cvrl_napari.volumes.naming import DICOM_SUFFIXES, format_suffix
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.segments import UNNAMED_COLOR, Segment, values_in
from cvrl_napari.volumes.volume import Volume
from cvrl_napari.volumes.writing import write

_HIGHEST = 254  # of a segment


def write_image(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write an image layer; returns the path.

    Raises
    ------
    VolumeError
        If the layer is not three-dimensional or the file cannot be written.
    """
    write(Path(path), _volume(np.asarray(data), meta))
    return [path]


def write_labels(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write a labels layer in the smallest type that holds its values, painted background as 0; returns the path.

    A name that ends in '.dcm' makes a DICOM segmentation of the series that the layer was made on.

    Raises
    ------
    VolumeError
        If the layer is not three-dimensional, the file cannot be written, or it is to be DICOM and its scan is not.
    """
    labels = np.asarray(data)
    background = meta.get("metadata", {}).get(PAINTED_BACKGROUND_KEY)
    if background is not None:
        labels = np.where(labels == background, 0, labels)
    lowest, highest = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    smallest = np.result_type(np.min_scalar_type(lowest), np.min_scalar_type(highest))
    volume = _volume(labels.astype(smallest), meta)
    segments = _segments(volume.array, meta)
    if format_suffix(Path(path)) in DICOM_SUFFIXES:
        _write_seg(Path(path), volume, segments, meta)
    else:
        write(Path(path), volume, segments)
    return [path]


def _write_seg(path: Path, volume: Volume, segments: list[Segment], meta: dict[str, Any]) -> None:
    from cvrl_napari.volumes.dicom_seg import write_seg

    if volume.source is None or volume.source.format != "dicom":
        raise VolumeError(
            f"Cannot write {path}: the layer '{meta.get('name', '')}' was not made on a DICOM series; save it as NIfTI or NRRD."
        )
    write_seg(path, volume, volume.source.path, segments, part=meta["metadata"].get(PART_KEY) or 0)


def _volume(array: np.ndarray, meta: dict[str, Any]) -> Volume:
    """Put a layer's voxels on its source's grid, or, when it has none or another shape, where napari draws them."""
    if array.ndim != 3:
        raise VolumeError(f"The layer '{meta.get('name', '')}' has {array.ndim} axes: only layers with three are written")
    about = meta.get("metadata", {})
    source = about.get(SOURCE_KEY)
    if source is not None and Path(source).exists():
        try:
            scan = read(Path(source), part=about.get(PART_KEY), resample=bool(about.get(RESAMPLED_KEY)))
        except (SeveralVolumesError, UnevenSlicesError):
            scan = None  # the layer does not say which volume it is of, but it says where that lies
        if scan is not None and scan.array.shape == array.shape:
            return scan.with_array(array)
    scale, translate = meta.get("scale", (1.0,) * 3), meta.get("translate", (0.0,) * 3)
    if AFFINE_KEY in about:
        volume = Volume(array, np.array(about[AFFINE_KEY], dtype=np.float64))
        drawn = placement(volume)
        if np.allclose((drawn["scale"], drawn["translate"]), (scale, translate), atol=1e-6):  # a cropped layer lies elsewhere
            return volume
    return Volume(array, placed_affine(scale, translate))


def _segments(labels: np.ndarray, meta: dict[str, Any]) -> list[Segment]:
    """Return what the values of a layer stand for: named by its table of features, colored by its colormap."""
    values = [value for value in values_in(labels) if 1 <= value <= _HIGHEST]
    names = _names(meta.get("features"))
    color_of = getattr(meta.get("colormap"), "map", None)  # a colormap may also be given by its name
    return [
        Segment(value, names.get(value, f"label {value}"), _hex(color_of(value)) if color_of else UNNAMED_COLOR)
        for value in values
    ]


def _names(features: Mapping[str, Any] | None) -> dict[int, str]:
    """Return the names in a features table like `class_colors.names` makes."""
    if features is None or not {"index", "structure"} <= set(features):
        return {}
    return {int(value): str(name) for value, name in zip(features["index"], features["structure"], strict=True)}


def _hex(rgba: np.ndarray) -> str:
    red, green, blue = (round(255 * float(part)) for part in np.ravel(rgba)[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
