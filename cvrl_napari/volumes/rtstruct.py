"""Contours in DICOM (RTSTRUCT): closed ones, plane by plane, written and read with pydicom."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from cvrl_napari import __version__
from cvrl_napari.volumes.contours import outlines
from cvrl_napari.volumes.dicom_planes import Placement
from cvrl_napari.volumes.dicom_references import PROGRAM, UTF_8, Ground, SourceSeries, adopt, dicom_name, find_series
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.merging import overlap_notice
from cvrl_napari.volumes.roi_contours import RoiContours
from cvrl_napari.volumes.segments import Segment, describe, renumber, values_in
from cvrl_napari.volumes.storage import atomic_path
from cvrl_napari.volumes.volume import Volume

_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"  # of the study, retired but asked for (PS3.3 C.8.8.5)
_DECIMALS = 6  # of a coordinate in mm: 16 characters hold them up to 100 m
_MOST_STRUCTURES = 254


def write_rtstruct(
    path: Path, labels: Volume, scan_source: Path, segments: Sequence[Segment], *, algorithm: str = "", part: int = 0
) -> None:
    """Write labels as contours on the images of the series that the scan was read from.

    Each connected piece of a structure on an image gets one closed contour half way between the pixels inside and outside,
    holes joined to it as `contours.outlines` says: read back, it encloses exactly the same pixels. Where the scan was
    resampled to a regular grid, each pixel has the value of the nearest voxel. The file carries what DICOM asks for of the
    patient and the study of the series.

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
        If nothing is drawn, the series is not that of the labels, or the file cannot be written or does not read back the
        same.
    """
    try:
        series = find_series(scan_source, part)
        planes = Placement(series.planes, labels, scan_source).on_planes(labels.array)
        drawn = values_in(planes)
        described = [segment for segment in describe(drawn, segments) if segment.value in drawn]
        if not 1 <= len(described) <= _MOST_STRUCTURES:
            problem = f"it has {len(described)} structures" if described else "nothing is drawn"
            raise VolumeError(f"Cannot write {path}: {problem}, and contours need 1 to {_MOST_STRUCTURES} of them.")
        # Without validation what is odd in the source stays as it is, and no warning quotes it.
        with disable_value_validation(), atomic_path(path) as temporary:
            structure_set = _structure_set(series, planes, described, algorithm)
            structure_set.save_as(temporary, enforce_file_format=True)
            _check_written(path, temporary, series, renumber(planes, described))
    except OSError as error:
        reason = error.strerror or str(error)
        raise VolumeError(f"Cannot write {path} ({reason}): free some space or choose another folder.") from error


def _structure_set(
    series: SourceSeries, labels: npt.NDArray[np.generic], segments: Sequence[Segment], algorithm: str
) -> pydicom.Dataset:
    header = series.header()
    now = datetime.now().astimezone()
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    # Explicit encoding ends values at 64 KiB, which a long contour has.
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.SpecificCharacterSet = UTF_8
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTStructureSetStorage, generate_uid()
    adopt(dataset, header)
    dataset.StudyInstanceUID = header.StudyInstanceUID
    dataset.Modality = "RTSTRUCT"
    dataset.SeriesInstanceUID = generate_uid()
    dataset.SeriesNumber = int(header.get("SeriesNumber") or 0) + 1000
    dataset.SeriesDescription = "Contours"
    dataset.OperatorsName = None
    dataset.Manufacturer = dataset.ManufacturerModelName = PROGRAM
    dataset.SoftwareVersions = __version__
    dataset.InstanceNumber = 1
    dataset.FrameOfReferenceUID = header.FrameOfReferenceUID
    dataset.PositionReferenceIndicator = header.get("PositionReferenceIndicator")
    dataset.StructureSetLabel = "CONTOURS"
    dataset.InstanceCreationDate = dataset.StructureSetDate = dataset.SeriesDate = now.strftime("%Y%m%d")
    dataset.InstanceCreationTime = dataset.StructureSetTime = dataset.SeriesTime = now.strftime("%H%M%S")
    dataset.ApprovalStatus = "UNAPPROVED"
    dataset.ReferencedFrameOfReferenceSequence = [_frame_of_reference(series, header)]
    dataset.StructureSetROISequence = [
        _item(
            ROINumber=number,
            ReferencedFrameOfReferenceUID=header.FrameOfReferenceUID,
            ROIName=dicom_name(segment.name),
            ROIGenerationAlgorithm="AUTOMATIC" if algorithm else "SEMIAUTOMATIC",
            ROIGenerationDescription=dicom_name(algorithm or f"{PROGRAM} {__version__}"),
        )
        for number, segment in enumerate(segments, start=1)
    ]
    dataset.ROIContourSequence = [
        _item(
            ReferencedROINumber=number,
            ROIDisplayColor=list(bytes.fromhex(segment.color[1:])),
            ContourSequence=_contours(series, header.SOPClassUID, labels == segment.value),
        )
        for number, segment in enumerate(segments, start=1)
    ]
    dataset.RTROIObservationsSequence = [
        _item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType="", ROIInterpreter="")
        for number, _ in enumerate(segments, start=1)
    ]
    return dataset


def _frame_of_reference(series: SourceSeries, header: pydicom.Dataset) -> pydicom.Dataset:
    images = dict.fromkeys(one.instance for one in series.slices)
    images_of_series = _item(
        SeriesInstanceUID=series.uid,
        ContourImageSequence=[
            _item(ReferencedSOPClassUID=header.SOPClassUID, ReferencedSOPInstanceUID=instance) for instance in images
        ],
    )
    study = _item(
        ReferencedSOPClassUID=_STUDY_CLASS,
        ReferencedSOPInstanceUID=header.StudyInstanceUID,
        RTReferencedSeriesSequence=[images_of_series],
    )
    return _item(FrameOfReferenceUID=header.FrameOfReferenceUID, RTReferencedStudySequence=[study])


def _contours(series: SourceSeries, image_class: str, mask: npt.NDArray[np.bool_]) -> list[pydicom.Dataset]:
    """Return the contours of one structure, mask of shape (plane, row, column)."""
    is_multi_frame = len({one.file for one in series.slices}) < len(series.slices)
    contours: list[pydicom.Dataset] = []
    for plane, image, pixels in zip(series.planes.planes, series.slices, mask, strict=True):
        reference = _item(ReferencedSOPClassUID=image_class, ReferencedSOPInstanceUID=image.instance)
        if is_multi_frame:
            reference.ReferencedFrameNumber = image.frame + 1
        for corners in outlines(pixels):
            contour = _item(
                ContourImageSequence=[reference],
                ContourGeometricType="CLOSED_PLANAR",
                NumberOfContourPoints=len(corners),
                ContourNumber=len(contours) + 1,
                ContourData=[f"{mm:.{_DECIMALS}f}" for mm in plane.world(corners).ravel().tolist()],
            )
            contours.append(contour)
    return contours


def _item(**values: object) -> pydicom.Dataset:
    item = pydicom.Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _check_written(path: Path, written: Path, series: SourceSeries, numbers: npt.NDArray[np.uint8]) -> None:
    if not np.array_equal(RoiContours.open(written).on_planes(series.planes).merge()[0], numbers):
        raise VolumeError(
            f"{path} was written but does not read back the same, so it was not kept: check the disk, or save to another one."
        )


def read_rtstruct(path: Path, scan: Volume) -> tuple[Volume, tuple[Segment, ...]]:
    """Read the closed contours of an RTSTRUCT as labels on a scan's canonical grid.

    A pixel is in a structure when its centre is in an odd number of its contours on that image, so that inner contours are
    holes. Points and open lines are left out. Where structures overlap the smaller one is taken, and a notice says so.

    Parameters
    ----------
    path
        An RTSTRUCT file.
    scan
        The scan it was drawn on. For one that was read from DICOM the contours must refer to its images or, if they refer
        to none, to its series or frame of reference; for any other one they must lie on its slices.

    Returns
    -------
    labels : Volume of uint8 (z, y, x)
        1..K in the order of the file, 0 where no structure is.
    segments : tuple of Segment
        Names and colors of the values.

    Raises
    ------
    VolumeError
        If the file is no RTSTRUCT, is damaged, has no closed contour, or refers to or lies on other images than the scan's.
    """
    try:
        contours = RoiContours.open(path)
        ground = Ground.of(scan, contours.normal)
        contours.check_references(ground)
        labels, overlapping = contours.on_planes(ground.planes).merge()
        array = ground.onto_grid(labels, path)
    except OSError as error:
        raise VolumeError(f"Cannot read {path} ({error.strerror or error}): check its place and its permissions.") from error
    return Volume(array, scan.affine, scan.source, overlap_notice(overlapping)), contours.segments
