"""The contours of an RTSTRUCT: the closed ones, the structure and the images each belongs to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.uid import RTStructureSetStorage

from cvrl_napari.volumes.contours import Points, filled
from cvrl_napari.volumes.dicom_objects import BAD_OBJECT, read_object
from cvrl_napari.volumes.dicom_planes import PlaneStack
from cvrl_napari.volumes.dicom_references import Ground
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.merging import Structures
from cvrl_napari.volumes.segments import UNNAMED_COLOR, Segment

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_FARTHEST_MM = 1e5
_HIGHEST = 254  # of a label; 255 is painted background


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed contour: the value of its structure, its corners (N, 3) in LPS mm, the images it says it lies on."""

    value: int
    corners: Points
    images: frozenset[str]


@dataclass(frozen=True, eq=False)
class RoiContours:
    """What an RTSTRUCT file says.

    Parameters
    ----------
    path
        The file.
    contours
        The closed ones.
    segments
        The structures that have some, 1..K in the order of the file.
    series
        Identifiers of the series it refers to; may be empty.
    spaces
        Identifiers of the frames of reference it names.
    """

    path: Path
    contours: tuple[Contour, ...]
    segments: tuple[Segment, ...]
    series: frozenset[str]
    spaces: frozenset[str]

    @classmethod
    def open(cls, path: Path) -> "RoiContours":
        """Read an RTSTRUCT file.

        Raises
        ------
        VolumeError
            If it is another file, damaged, or has no closed contour.
        OSError
            If it cannot be read.
        """
        dataset = read_object(path, (RTStructureSetStorage,), "a set of DICOM contours (RTSTRUCT)")
        try:
            parsed = _parse(path, dataset)
        except BAD_OBJECT as error:
            raise VolumeError(f"{path} is a damaged set of contours: copy or export it again.") from error
        if not parsed.contours:
            raise VolumeError(f"{path} has no closed contour: choose a structure set in which something is drawn.")
        if len(parsed.segments) > _HIGHEST:
            raise VolumeError(
                f"{path} has {len(parsed.segments)} structures, but labels end at {_HIGHEST}: save fewer of them."
            )
        return parsed

    @property
    def normal(self) -> npt.NDArray[np.float64]:
        """Unit vector across the plane of the first contour that has an area, or else towards Superior; LPS."""
        for contour in self.contours:
            across = np.cross(contour.corners, np.roll(contour.corners, -1, axis=0)).sum(axis=0)
            if (length := float(np.linalg.norm(across))) > 0:
                normal: npt.NDArray[np.float64] = across / length
                return normal
        return np.array((0.0, 0.0, 1.0))

    def check_references(self, ground: Ground) -> None:
        """Refuse contours on images that the scan does not have; those without an image count by series and space.

        Raises
        ------
        VolumeError
            The sentence says how many, and of which structure the first one is.
        """
        if ground.series is None:
            return
        missing = [one for one in self.contours if one.images - ground.series.instances]
        if missing:
            name = self.segments[missing[0].value - 1].name
            raise VolumeError(
                f"{self.path} has {len(missing)} of {len(self.contours)} contours on images that {ground.series.path} lacks"
                f" (the first one is of '{name}'): add the missing images, or choose the series that they were drawn on."
            )
        if not all(one.images for one in self.contours):
            known = ground.series.frame_of_reference
            space = known if known in self.spaces else next(iter(self.spaces), "")
            ground.check_space(self.path, "a set of contours", self.series, space)

    def on_planes(self, stack: PlaneStack) -> Structures:
        """Fill the contours on the planes of a scan.

        Raises
        ------
        VolumeError
            If a contour lies between the planes, or across them.
        """
        on_plane: dict[tuple[int, int], list[Points]] = defaultdict(list)
        for contour in self.contours:
            number = stack.find(contour.corners)
            if number is None:
                name = self.segments[contour.value - 1].name
                raise VolumeError(
                    f"{self.path} has a contour of '{name}' that lies on no slice of the scan: choose the series of it."
                )
            on_plane[contour.value, number].append(stack.planes[number].locate(contour.corners)[:, :2])
        structures = Structures(stack.shape)
        for (value, number), contours in on_plane.items():
            structures.add(value, number, filled(contours, stack.planes[number].shape))
        return structures


def _parse(path: Path, dataset: pydicom.Dataset) -> RoiContours:
    contours_of = {int(roi.ReferencedROINumber): _closed(roi) for roi in dataset.get("ROIContourSequence", [])}
    colors = {int(roi.ReferencedROINumber): roi.get("ROIDisplayColor") for roi in dataset.get("ROIContourSequence", [])}
    contours: list[Contour] = []
    segments: list[Segment] = []
    for roi in dataset.StructureSetROISequence:
        number = int(roi.ROINumber)
        closed = contours_of.pop(number, [])
        if closed:
            value = len(segments) + 1
            name = str(roi.get("ROIName") or "") or f"structure {number}"
            segments.append(Segment(value, name, _hex(colors[number])))
            contours += [Contour(value, corners, images) for corners, images in closed]
    spaces = dataset.get("ReferencedFrameOfReferenceSequence", [])
    studies = [study for space in spaces for study in space.get("RTReferencedStudySequence", [])]
    series = [one for study in studies for one in study.get("RTReferencedSeriesSequence", [])]
    named = [space.get("FrameOfReferenceUID") for space in spaces]
    named += [roi.get("ReferencedFrameOfReferenceUID") for roi in dataset.StructureSetROISequence]
    return RoiContours(
        path,
        tuple(contours),
        tuple(segments),
        frozenset(str(one.SeriesInstanceUID) for one in series),
        frozenset(str(space) for space in named if space),
    )


def _closed(roi: pydicom.Dataset) -> list[tuple[Points, frozenset[str]]]:
    found = []
    for contour in roi.get("ContourSequence") or []:
        if contour.get("ContourGeometricType") not in _CLOSED:
            continue
        images = contour.get("ContourImageSequence") or []
        found.append((_corners(contour), frozenset(str(image.ReferencedSOPInstanceUID) for image in images)))
    return found


def _corners(contour: pydicom.Dataset) -> Points:
    # As they stand in the file: made into numbers one by one they take pydicom ten times as long.
    stored: Any = contour.get_item("ContourData").value
    text = stored.decode("ascii").split("\\") if isinstance(stored, bytes) else stored
    corners = np.array([float(number) for number in text]).reshape(-1, 3)
    if not len(corners) or not (np.abs(corners) < _FARTHEST_MM).all():
        raise ValueError("a contour has no corners, or lies beyond any patient")
    return corners


def _hex(color: Sequence[int] | None) -> str:
    if color is None or len(color) != 3:
        return UNNAMED_COLOR
    return "#" + "".join(f"{min(max(int(part), 0), 255):02x}" for part in color)
