"""What ties a DICOM object to the scan it was drawn on: images, series, frame of reference; and whose patient it is of."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom

from cvrl_napari.volumes.dicom import series_stack
from cvrl_napari.volumes.dicom_header import BAD_HEADER
from cvrl_napari.volumes.dicom_parts import split_parts
from cvrl_napari.volumes.dicom_planes import Placement, Plane, PlaneStack, planes_of_grid
from cvrl_napari.volumes.dicom_slice import Slice
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.volume import Volume

PROGRAM = "cvrl_napari"
UTF_8 = "ISO_IR 192"
_LONGEST_NAME = 64  # characters of a value of type LO

PATIENT_AND_STUDY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""What an object about a patient's study must have, if only empty; scans that were anonymized may lack some."""


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """The images that one volume was read from.

    Parameters
    ----------
    path
        The scan: a folder, or a file of the series.
    slices
        In the order of their positions.
    instances
        Identifiers of all images of the series, those of other time points too.
    frame_of_reference
        Identifier of the space it lies in; '' if it says none.
    """

    path: Path
    slices: tuple[Slice, ...]
    instances: frozenset[str]
    frame_of_reference: str

    @property
    def uid(self) -> str:
        """Identifier of the series."""
        return self.slices[0].series

    @property
    def planes(self) -> PlaneStack:
        """Where its slices lie."""
        return PlaneStack([Plane(one.position, one.row_step, one.column_step, one.size) for one in self.slices])

    def header(self) -> pydicom.Dataset:
        """Return the header of its first file; raises as `headers` does."""
        return _header(self.slices[0].file, self)

    def headers(self) -> list[pydicom.Dataset]:
        """Return the headers of its files, each once and without pixels, in the order of the slices.

        Raises
        ------
        VolumeError
            If a file is damaged.
        OSError
            If one cannot be read.
        """
        return [_header(file, self) for file in dict.fromkeys(one.file for one in self.slices)]


def find_series(path: Path, part: int = 0) -> SourceSeries:
    """Return the images that `read(path, part=part)` is made of.

    Raises
    ------
    VolumeError
        If there is no series.
    OSError
        If it cannot be read.
    """
    stack = series_stack(path)
    parts = split_parts(path, stack)
    try:
        first = pydicom.dcmread(stack[0].file, stop_before_pixels=True, specific_tags=["FrameOfReferenceUID"])
        space = str(first.get("FrameOfReferenceUID") or "")
    except BAD_HEADER as error:
        raise VolumeError(f"{stack[0].file} is cut off or damaged: copy or export the series again.") from error
    return SourceSeries(path, tuple(parts[part]), frozenset(one.instance for one in stack), space)


def _header(file: Path, series: SourceSeries) -> pydicom.Dataset:
    try:
        header = pydicom.dcmread(file, stop_before_pixels=True)
    except BAD_HEADER as error:
        raise VolumeError(f"{file} is cut off or damaged: copy or export the series again.") from error
    if not header.get("FrameOfReferenceUID"):
        # The space has no name, but what lies in it must give one: the same for everything drawn on this series.
        header.FrameOfReferenceUID = pydicom.uid.generate_uid(entropy_srcs=[series.uid])
    return header


def adopt(target: pydicom.Dataset, header: pydicom.Dataset) -> None:
    """Give an object the patient and the study of its source, as they stand there."""
    for keyword in PATIENT_AND_STUDY:
        setattr(target, keyword, header.get(keyword))


@dataclass(frozen=True, eq=False)
class Ground:
    """What a DICOM object was drawn on: planes, and how labels on them come to the canonical grid of a scan."""

    planes: PlaneStack
    scan: Volume
    series: SourceSeries | None

    @classmethod
    def of(cls, scan: Volume, normal: npt.NDArray[np.float64]) -> "Ground":
        """Return the ground of objects on a scan: its images, or if it was not read from DICOM its planes across `normal`."""
        if scan.source is None or scan.source.format != "dicom":
            return cls(planes_of_grid(scan, normal), scan, None)
        series = find_series(scan.source.path)
        return cls(series.planes, scan, series)

    def check_space(self, path: Path, what: str, series: Collection[str], space: str) -> None:
        """Refuse an object of another series than this scan's, or of another space; each counts as far as it is said.

        Raises
        ------
        VolumeError
            If it is of another one, or says neither. The sentence starts with `path` and `what` the object is.
        """
        if self.series is None:
            return
        known = self.series.frame_of_reference
        if series and self.series.uid not in series:
            other = "of another series than"
        elif known and space != known:
            other = "in another frame of reference than"
        elif not series and not known:
            other = "of no series, and cannot be told to be that of"
        else:
            return
        raise VolumeError(f"{path} is {what} {other} {self.series.path}: choose the one that belongs to it.")

    def onto_grid(self, labels: npt.NDArray[np.uint8], path: Path) -> npt.NDArray[np.uint8]:
        """Return labels on the planes (plane, row, column) on the scan's canonical grid (z, y, x)."""
        where = path if self.series is None else self.series.path
        found: npt.NDArray[np.uint8] = Placement(self.planes, self.scan, where).onto_grid(labels)
        return np.ascontiguousarray(found)


def dicom_name(name: str) -> str:
    """Return a name as DICOM can hold it: one line of at most 64 characters without a backslash, which parts values."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name.replace("\\", "/")).split())[
        :_LONGEST_NAME
    ]
