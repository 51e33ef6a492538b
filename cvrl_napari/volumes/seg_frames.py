"""The frames of a DICOM segmentation: where each lies, and which segment's pixels it holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, SegmentationStorage, UncompressedTransferSyntaxes

from cvrl_napari.volumes.axis_order import Array
from cvrl_napari.volumes.checks import check_promise
from cvrl_napari.volumes.dicom_objects import BAD_OBJECT, read_object
from cvrl_napari.volumes.dicom_planes import Overlay, Plane, PlaneStack
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.merging import Structures
from cvrl_napari.volumes.segments import UNNAMED_COLOR, Segment

LABEL_MAP_STORAGE = UID("1.2.840.10008.5.1.4.1.1.66.7")  # pydicom 3.0 has no name for it

_HIGHEST = 254  # of a label; 255 is painted background
_LARGEST_FRAME = 4  # times the pixels of an image


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame: its plane, and the number of its segment, 0 in a label map, where the pixels say it."""

    plane: Plane
    segment: int


@dataclass(frozen=True, eq=False)
class SegFrames:
    """What a SEG file says; its pixels are decoded when they are asked for.

    Parameters
    ----------
    path
        The file.
    frames
        In its order.
    segments
        Names and colors of its numbers.
    series
        Identifiers of the series it says it was made of; may be empty.
    space
        Identifier of its frame of reference.
    one
        The pixel that stands for all of a segment: 1, or more in a fractional one.
    dataset
        The file itself.
    """

    path: Path
    frames: tuple[Frame, ...]
    segments: tuple[Segment, ...]
    series: frozenset[str]
    space: str
    one: int
    dataset: pydicom.Dataset

    @classmethod
    def open(cls, path: Path) -> "SegFrames":
        """Read a SEG file.

        Raises
        ------
        VolumeError
            If it is another file, damaged, or has no places in space.
        OSError
            If it cannot be read.
        """
        dataset = read_object(path, (SegmentationStorage, LABEL_MAP_STORAGE), "a DICOM segmentation (SEG)")
        try:
            return _parse(path, dataset)
        except VolumeError:
            raise
        except BAD_OBJECT as error:
            raise VolumeError(
                f"{path} is a damaged segmentation, or one without places in space: export it again, or as NIfTI or NRRD."
            ) from error

    def on_planes(self, stack: PlaneStack) -> Structures:
        """Return the segments as they lie on the planes of a scan.

        Raises
        ------
        VolumeError
            If the pixels are damaged, or something lies beside the voxels of the scan.
        """
        _, rows, columns = stack.shape
        if self.frames[0].plane.shape[0] * self.frames[0].plane.shape[1] > _LARGEST_FRAME * rows * columns:
            raise self._off_grid()
        structures = Structures(stack.shape)
        try:
            for frame, pixels in zip(self.frames, self._pixels(), strict=True):
                if frame.segment:
                    pixels = 2 * pixels.astype(np.int64) >= self.one
                if pixels.any():
                    self._add(structures, frame, pixels, stack)
        except VolumeError:
            raise
        except BAD_OBJECT as error:
            raise VolumeError(f"{self.path} has pixels that cannot be read: copy or export it again.") from error
        return structures

    def _pixels(self) -> Iterator[Array]:
        dataset = self.dataset
        if dataset.BitsAllocated != 1 or dataset.file_meta.TransferSyntaxUID.is_encapsulated:
            yield from iter_pixels(dataset)
            return
        # Bits follow each other across frames and bytes; pydicom 3.0 loses the last ones of some frames.
        shape = self.frames[0].plane.shape
        size = shape[0] * shape[1]
        for first in range(0, size * len(self.frames), size):
            packed = np.frombuffer(dataset.PixelData[first // 8 : (first + size + 7) // 8], np.uint8)
            yield np.unpackbits(packed, bitorder="little")[first % 8 :][:size].reshape(shape)

    def _add(self, structures: Structures, frame: Frame, pixels: Array, stack: PlaneStack) -> None:
        number = stack.find(frame.plane.position)
        overlay = None if number is None else Overlay.of(frame.plane, stack.planes[number])
        laid = None if overlay is None else overlay.lay(pixels, stack.planes[0].shape)
        if number is None or laid is None:
            raise self._off_grid()
        for value in [frame.segment] if frame.segment else np.unique(laid[laid != 0]).tolist():
            if value > _HIGHEST:
                raise VolumeError(f"{self.path} has a segment {value}, but labels end at {_HIGHEST}: save fewer of them.")
            structures.add(value, number, laid == value if not frame.segment else laid)

    def _off_grid(self) -> VolumeError:
        return VolumeError(
            f"{self.path} does not lie on the voxels of the scan: resample it to the scan's grid, or choose the scan it is of."
        )


def _parse(path: Path, dataset: pydicom.Dataset) -> SegFrames:
    count = int(dataset.NumberOfFrames)
    shape = int(dataset.Rows), int(dataset.Columns)
    if len(dataset.PerFrameFunctionalGroupsSequence) != count or count < 1 or min(shape) < 1 or dataset.SamplesPerPixel != 1:
        raise ValueError("there are not as many frames as places")
    promised = (count * shape[0] * shape[1] * int(dataset.BitsAllocated) + 7) // 8
    check_promise(
        path, promised, path.stat().st_size, compressed=dataset.file_meta.TransferSyntaxUID not in UncompressedTransferSyntaxes
    )
    is_fractional = dataset.SegmentationType == "FRACTIONAL"
    return SegFrames(
        path,
        tuple(_frame(dataset, number, shape) for number in range(count)),
        tuple(_segment(item) for item in dataset.SegmentSequence),
        frozenset(str(one.SeriesInstanceUID) for one in dataset.get("ReferencedSeriesSequence", [])),
        str(dataset.get("FrameOfReferenceUID", "")),
        int(dataset.MaximumFractionalValue) if is_fractional else 1,
        dataset,
    )


def _frame(dataset: pydicom.Dataset, number: int, shape: tuple[int, int]) -> Frame:
    groups = [dataset.PerFrameFunctionalGroupsSequence[number], *dataset.get("SharedFunctionalGroupsSequence", [])]

    def find(sequence: str, name: str) -> Any:
        return next(group[sequence][0] for group in groups if sequence in group)[name].value

    position = np.array(find("PlanePositionSequence", "ImagePositionPatient"), dtype=float).reshape(3)
    orientation = np.array(find("PlaneOrientationSequence", "ImageOrientationPatient"), dtype=float).reshape(6)
    row_spacing, column_spacing = (float(mm) for mm in find("PixelMeasuresSequence", "PixelSpacing"))
    plane = Plane(position, orientation[3:] * row_spacing, orientation[:3] * column_spacing, shape)
    if not np.isfinite([*position, *plane.normal]).all():  # parallel or missing axes have no normal
        raise ValueError("the orientation or the spacing is zero")
    is_label_map = dataset.SegmentationType == "LABELMAP"
    segment = 0 if is_label_map else int(find("SegmentIdentificationSequence", "ReferencedSegmentNumber"))
    if segment < 0 or (segment == 0 and not is_label_map):
        raise ValueError("segments are numbered from 1")
    return Frame(plane, segment)


def _segment(item: pydicom.Dataset) -> Segment:
    number = int(item.SegmentNumber)
    color = item.get("RecommendedDisplayCIELabValue")
    return Segment(number, str(item.get("SegmentLabel") or f"label {number}"), _hex(color) if color else UNNAMED_COLOR)


def _hex(lab: Sequence[int]) -> str:
    from highdicom.color import CIELabColor  # takes a second to import

    red, green, blue = CIELabColor.from_dicom_value([int(part) for part in lab]).to_rgb(clip=True)
    return f"#{red:02x}{green:02x}{blue:02x}"
