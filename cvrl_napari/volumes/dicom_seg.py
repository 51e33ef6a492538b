"""DICOM segmentations (SEG): written by highdicom on the images of their series, read with pydicom."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.config import disable_value_validation
from pydicom.uid import generate_uid

from cvrl_napari import __version__
from cvrl_napari.volumes.dicom_header import BAD_HEADER
from cvrl_napari.volumes.dicom_planes import Placement
from cvrl_napari.volumes.dicom_references import (
    PATIENT_AND_STUDY,
    PROGRAM,
    UTF_8,
    Ground,
    SourceSeries,
    adopt,
    dicom_name,
    find_series,
)
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.merging import overlap_notice
from cvrl_napari.volumes.seg_frames import SegFrames
from cvrl_napari.volumes.segments import Segment, describe, renumber, values_in
from cvrl_napari.volumes.storage import atomic_path
from cvrl_napari.volumes.volume import Volume

if TYPE_CHECKING:
    from highdicom.seg import Segmentation, SegmentDescription

_MOST_SEGMENTS = 254  # labels of one byte, of which 255 is painted background


def write_seg(
    path: Path, labels: Volume, scan_source: Path, segments: Sequence[Segment], *, algorithm: str = "", part: int = 0
) -> None:
    """Write labels as a binary DICOM segmentation of the series that the scan was read from.

    The labels lie on the very images of the series; where the scan was resampled to a regular grid, each pixel gets the
    value of the nearest voxel. Segments are numbered 1, 2, 3 ... in the order of their values. The file carries what DICOM
    asks for of the patient and the study of the series.

    Parameters
    ----------
    path
        Where to; '.dcm'.
    labels
        On the scan's canonical grid, whole numbers, 0 where nothing is.
    scan_source
        The series: its folder or one of its files, as the scan was read from it.
    segments
        What the values stand for; those without a segment get a name of their number.
    algorithm
        What drew the mask; empty when a person had a hand in it.
    part
        Which of the images at each position, counted from 0, as the scan was read.

    Raises
    ------
    VolumeError
        If nothing is drawn, the series is not that of the labels or lacks what DICOM asks for, or the file cannot be
        written or does not read back the same.
    """
    try:
        series = find_series(scan_source, part)
        planes = Placement(series.planes, labels, scan_source).on_planes(labels.array)
        described = describe(values_in(planes), segments)
        if not planes.any() or len(described) > _MOST_SEGMENTS:
            problem = f"it has {len(described)} structures" if planes.any() else "nothing is drawn"
            raise VolumeError(f"Cannot write {path}: {problem}, and a segmentation needs 1 to {_MOST_SEGMENTS} of them.")
        numbers = renumber(planes, described)
        # Without validation what is odd in the source stays as it is, and no warning quotes it.
        with disable_value_validation(), atomic_path(path) as temporary:
            _segmentation(series, numbers, described, algorithm).save_as(temporary)
            _check_written(path, temporary, series, numbers)
    except OSError as error:
        reason = error.strerror or str(error)
        raise VolumeError(f"Cannot write {path} ({reason}): free some space or choose another folder.") from error


def _segmentation(
    series: SourceSeries, numbers: npt.NDArray[np.uint8], segments: Sequence[Segment], algorithm: str
) -> "Segmentation":
    from highdicom.seg import Segmentation  # takes a second to import

    headers = series.headers()
    patient = pydicom.Dataset()
    adopt(patient, headers[0])
    for header in headers:  # highdicom judges these, and quotes them in warnings: it does not get to see them
        for keyword in PATIENT_AND_STUDY:
            setattr(header, keyword, None)
        if "SliceThickness" not in header:
            header.SliceThickness = f"{series.planes.gap:.6g}"
        header.StudyInstanceUID = headers[0].StudyInstanceUID  # careless anonymization gives every image one of its own
    if len(headers) == 1:  # an enhanced file: its frames, in its own order
        frames = np.zeros((int(headers[0].get("NumberOfFrames") or 1), *numbers.shape[1:]), numbers.dtype)
        frames[[one.frame for one in series.slices]] = numbers
        numbers = frames
    try:
        segmentation = Segmentation(
            source_images=headers,
            pixel_array=numbers,
            segmentation_type="BINARY",
            segment_descriptions=[_description(number, one, algorithm) for number, one in enumerate(segments, start=1)],
            series_instance_uid=generate_uid(),
            series_number=int(headers[0].get("SeriesNumber") or 0) + 1000,
            series_description="Segmentation",
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer=PROGRAM,
            manufacturer_model_name=PROGRAM,
            software_versions=__version__,
            device_serial_number="0",
            content_label="SEGMENTATION",
            content_description="Segmentation",
            specific_character_set=UTF_8,
        )
    except BAD_HEADER as error:
        raise VolumeError(
            f"{series.path} lacks what a DICOM segmentation must say of its images: save the mask as NIfTI or NRRD instead."
        ) from error
    adopt(segmentation, patient)
    return segmentation


def _description(number: int, segment: Segment, algorithm: str) -> "SegmentDescription":
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription
    from pydicom.sr.codedict import codes

    from cvrl_napari.volumes.segment_codes import code_of

    code = code_of(segment.name)
    family = codes.CID7162.ArtificialIntelligence
    return SegmentDescription(
        segment_number=number,
        segment_label=dicom_name(segment.name),
        segmented_property_category=code.category,
        segmented_property_type=code.kind,
        algorithm_type="AUTOMATIC" if algorithm else "SEMIAUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(dicom_name(algorithm or PROGRAM), family, __version__),
        display_color=CIELabColor.from_rgb(*bytes.fromhex(segment.color[1:])),
    )


def _check_written(path: Path, written: Path, series: SourceSeries, numbers: npt.NDArray[np.uint8]) -> None:
    if not np.array_equal(SegFrames.open(written).on_planes(series.planes).merge()[0], numbers):
        raise VolumeError(
            f"{path} was written but does not read back the same, so it was not kept: check the disk, or save to another one."
        )


def read_seg(path: Path, scan: Volume) -> tuple[Volume, tuple[Segment, ...]]:
    """Read a DICOM segmentation as labels on a scan's canonical grid.

    Frames may be in any order, sparse, and turned or cropped against the images; probabilities count from one half on.
    Where segments overlap the smaller one is taken, and a notice says so.

    Parameters
    ----------
    path
        A SEG file: binary, fractional or a label map.
    scan
        The scan it was made for. For one that was read from DICOM, series and frame of reference are compared; for any
        other one the frames must lie on its voxels.

    Returns
    -------
    labels : Volume of uint8 (z, y, x)
        Segment numbers, 0 where no segment is.
    segments : tuple of Segment
        Names and colors of the values.

    Raises
    ------
    VolumeError
        If the file is no segmentation, damaged, of another series or space, or does not lie on the scan's voxels.
    """
    try:
        seg = SegFrames.open(path)
        ground = Ground.of(scan, seg.frames[0].plane.normal)
        ground.check_space(path, "a segmentation", seg.series, seg.space)
        labels, overlapping = seg.on_planes(ground.planes).merge()
        array = ground.onto_grid(labels, path)
    except OSError as error:
        raise VolumeError(f"Cannot read {path} ({error.strerror or error}): check its place and its permissions.") from error
    segments = describe(values_in(array), seg.segments)
    return Volume(array, scan.affine, scan.source, overlap_notice(overlapping)), segments
