"""The slices of one DICOM file, from its header alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.tag import Tag
from pydicom.uid import RTStructureSetStorage, SegmentationStorage

from cvrl_napari.volumes.dicom_header import BAD_HEADER, Header, read_header
from cvrl_napari.volumes.dicom_slice import About, Slice, Stored
from cvrl_napari.volumes.errors import VolumeError

_KEYWORDS: dict[int, str] = {Tag(keyword): keyword for keyword in (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "Modality", "SeriesNumber", "SeriesDescription", "ImageType", "InstanceNumber",
    "TemporalPositionIdentifier", "AcquisitionNumber", "TriggerTime", "FrameReferenceTime", "EchoTime", "DiffusionBValue",
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)}  # fmt: skip
# What tells the volumes of a series apart and brings them into an order: keyword, and the sequence it is in with frames.
_ORDER = (
    ("TemporalPositionIdentifier", ""), ("TemporalPositionIndex", "FrameContentSequence"),
    ("AcquisitionNumber", ""), ("FrameAcquisitionNumber", "FrameContentSequence"),
    ("TriggerTime", ""), ("NominalCardiacTriggerDelayTime", "CardiacSynchronizationSequence"), ("FrameReferenceTime", ""),
    ("EchoTime", ""), ("EffectiveEchoTime", "MREchoSequence"),
    ("DiffusionBValue", ""), ("DiffusionBValue", "MRDiffusionSequence"),
)  # fmt: skip
_NOT_SCANS: dict[str, str] = {
    SegmentationStorage: "a DICOM segmentation (SEG), not a scan: choose the scan that it was made for",
    RTStructureSetStorage: "a set of contours (RTSTRUCT), not a scan: choose the scan that they were drawn on",
}
_GREY = ("MONOCHROME1", "MONOCHROME2")
# A grey value of these is a measurement, whichever way round it is to be shown.
_MEASURED = ("CT", "PT")


def read_slices(path: Path) -> list[Slice]:
    """Read the header of one DICOM file.

    Raises
    ------
    VolumeError
        If it is no DICOM file or no scan made of slices of grey values with a place in space.
    """
    try:
        header = read_header(path, _KEYWORDS, optional=[name for name, _ in _ORDER])
    except BAD_HEADER as error:
        raise VolumeError(f"{path} is cut off, damaged or no DICOM file: copy or export it again.") from error
    kind = str(header.values.get("SOPClassUID", ""))
    if kind in _NOT_SCANS:
        raise VolumeError(f"{path} is {_NOT_SCANS[kind]}.")
    if header.values.get("PhotometricInterpretation", _GREY[1]) not in _GREY:
        raise VolumeError(f"{path} is in color: choose a series of grey values.")
    try:
        return _slices(path, header)
    except BAD_HEADER as error:
        raise VolumeError(
            f"{path} is a DICOM file without slices that have a place in space: choose a CT, MR or PET series."
        ) from error


def _slices(path: Path, header: Header) -> list[Slice]:
    values = header.values
    stored, about = _stored(path, header), _about(values)
    own = values.get("PerFrameFunctionalGroupsSequence") or []
    shared = values.get("SharedFunctionalGroupsSequence") or []
    if stored.frames > 1 and len(own) != stored.frames:
        raise ValueError("the frames have no places of their own")
    if "ModalityLUTSequence" in values:
        raise ValueError("the grey values are in a table")
    return [_slice(stored, about, _Frame(values, frame, [*own[frame : frame + 1], *shared])) for frame in range(stored.frames)]


def _stored(path: Path, header: Header) -> Stored:
    values = header.values
    bits = int(values["BitsAllocated"])
    bits_stored = int(values.get("BitsStored") or bits)
    stored = Stored(
        file=path,
        syntax=str(header.syntax),
        keyword=header.pixel_keyword,
        start=header.pixels_at,
        count=header.pixels_bytes,
        frames=int(values.get("NumberOfFrames") or 1),
        rows=int(values["Rows"]),
        columns=int(values["Columns"]),
        bits_allocated=bits,
        bits_stored=bits_stored,
        high_bit=int(values.get("HighBit") or bits_stored - 1),
        is_signed=bool(values.get("PixelRepresentation") or 0),
    )
    if not stored.keyword or min(stored.rows, stored.columns, stored.frames) < 1 or values.get("SamplesPerPixel", 1) != 1:
        raise ValueError("there are no grey pixels")
    if stored.keyword == "PixelData" and not (bits in (8, 16, 32) and 0 < stored.bits_stored <= stored.high_bit + 1 <= bits):
        raise ValueError("the pixels have a number of bits that no scan has")
    return stored


def _about(values: dict[str, Any]) -> About:
    kinds = values.get("ImageType") or ()
    number = values.get("SeriesNumber")
    return About(
        study=str(values.get("StudyInstanceUID") or ""),
        series=str(values["SeriesInstanceUID"]),
        modality=str(values.get("Modality") or ""),
        number=None if number is None else int(number),
        description=str(values.get("SeriesDescription") or ""),
        image_type=(kinds,) if isinstance(kinds, str) else tuple(str(kind) for kind in kinds),
    )


@dataclass(frozen=True)
class _Frame:
    """The header as it holds for one frame: `groups` are its own functional groups, then those that all frames share."""

    values: dict[str, Any]
    index: int
    groups: list[pydicom.Dataset]

    def get(self, sequence: str, name: str) -> Any:
        for group in self.groups:
            if sequence and sequence in group and name in group[sequence][0]:
                return group[sequence][0][name].value
        return self.values.get(name)


def _slice(stored: Stored, about: About, frame: _Frame) -> Slice:
    orientation = np.array(frame.get("PlaneOrientationSequence", "ImageOrientationPatient"), dtype=float)
    row_spacing, column_spacing = (float(mm) for mm in frame.get("PixelMeasuresSequence", "PixelSpacing"))
    position = np.array(frame.get("PlanePositionSequence", "ImagePositionPatient"), dtype=float).reshape(3)
    column_step, row_step = orientation[:3] * column_spacing, orientation[3:].reshape(3) * row_spacing
    across = np.cross(column_step, row_step)
    if not across.any() or not np.isfinite([*across, *position]).all():
        raise ValueError("the orientation or the spacing is zero")
    measured = (frame.get("PixelMeasuresSequence", name) for name in ("SpacingBetweenSlices", "SliceThickness"))
    number = frame.index + 1 if stored.frames > 1 else int(frame.values.get("InstanceNumber") or 0)
    slope = frame.get("PixelValueTransformationSequence", "RescaleSlope")
    slope = 1.0 if slope is None else float(slope)
    intercept = float(frame.get("PixelValueTransformationSequence", "RescaleIntercept") or 0)
    if not np.isfinite([slope, intercept]).all() or slope == 0:
        raise ValueError("the rescaling leaves no grey values")
    is_turned = frame.values.get("PhotometricInterpretation") == "MONOCHROME1" and about.modality not in _MEASURED
    if is_turned:
        # The darkest stored value becomes the brightest one: value -> lowest + highest - value.
        ends = -1 if stored.is_signed else (1 << stored.bits_stored) - 1
        slope, intercept = -slope, slope * ends + intercept
    return Slice(
        stored=stored,
        frame=frame.index,
        about=about,
        instance=str(frame.values.get("SOPInstanceUID", stored.file)),
        number=number or None,
        order=(*(_number(frame.get(sequence, name)) for name, sequence in _ORDER), number),
        position=position,
        column_step=column_step,
        row_step=row_step,
        thickness=next((abs(float(mm)) for mm in measured if mm), None),
        slope=slope,
        intercept=intercept,
        is_turned=is_turned,
    )


def _number(value: Any) -> float:
    """Return a number to sort by; what is missing, or is a list, comes first."""
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0
