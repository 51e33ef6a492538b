"""DICOM files that are no scans: segmentations and contours, read whole, as they come from outside."""

import io
from collections.abc import Collection
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cvrl_napari.volumes.dicom_header import BAD_HEADER
from cvrl_napari.volumes.errors import VolumeError

BAD_OBJECT = (*BAD_HEADER, InvalidDicomError, RuntimeError)
"""What pydicom and its decoders raise on damaged files."""


def read_object(path: Path, kinds: Collection[str], what: str) -> pydicom.Dataset:
    """Read a file whose class is one of `kinds`.

    Raises
    ------
    VolumeError
        If it is another file, or damaged; `what` it should have been ends the sentence.
    OSError
        If it cannot be read.
    """
    try:
        if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            raise VolumeError(f"{path} is deflated, and how large it becomes is not known: save it uncompressed.")
        # From memory: a damaged length in a file makes pydicom take memory for what the file does not have.
        dataset = pydicom.dcmread(io.BytesIO(path.read_bytes()))
        kind = dataset.get("SOPClassUID")
    except BAD_OBJECT as error:
        if isinstance(error, VolumeError):
            raise
        raise VolumeError(f"{path} is cut off, damaged or no DICOM file: copy or export it again.") from error
    if kind not in kinds:
        raise VolumeError(f"{path} is not {what}: choose another file.")
    return dataset
