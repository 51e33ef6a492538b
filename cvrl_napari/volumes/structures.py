"""DICOM objects that say where structures lie in a scan: segmentations (SEG) and contours (RTSTRUCT), as labels."""

from pathlib import Path

from cvrl_napari.volumes.dicom_series import is_dicom
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.segments import Segment
from cvrl_napari.volumes.volume import Volume


def read_structures(path: Path, scan: Volume) -> tuple[Volume, tuple[Segment, ...]] | None:
    """Read a DICOM SEG or RTSTRUCT as labels on the scan's canonical grid; None when the file is neither.

    Returns
    -------
    labels : Volume of uint8 (z, y, x)
        1..K, 0 where no structure is.
    segments : tuple of Segment
        Names and colors of the values.

    Raises
    ------
    VolumeError
        If the file is missing or damaged, or of another scan.
    """
    try:
        if path.is_dir() or not is_dicom(path):
            return None
    except OSError as error:
        raise VolumeError(f"Cannot read {path} ({error.strerror or error}): check its place and its permissions.") from error
    import pydicom
    from pydicom.errors import InvalidDicomError
    from pydicom.uid import RTStructureSetStorage, SegmentationStorage

    from cvrl_napari.volumes.seg_frames import LABEL_MAP_STORAGE

    try:
        kind = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID"]).get("SOPClassUID")
    except (InvalidDicomError, AttributeError, ValueError, EOFError) as error:
        raise VolumeError(f"{path} is cut off or damaged: copy or export it again.") from error
    if kind in (SegmentationStorage, LABEL_MAP_STORAGE):
        from cvrl_napari.volumes.dicom_seg import read_seg

        return read_seg(path, scan)
    if kind == RTStructureSetStorage:
        from cvrl_napari.volumes.rtstruct import read_rtstruct

        return read_rtstruct(path, scan)
    return None
