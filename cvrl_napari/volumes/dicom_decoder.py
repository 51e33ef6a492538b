"""A child process that unpacks compressed DICOM frames: damaged ones end or hang the decoders, and then only this process.

`python -m cvrl_napari.volumes.dicom_decoder FOLDER` takes one JSON list of frames from its standard input and writes an
empty line when it is ready, then the pixels of one frame after the other to its standard output; it ends early at one that
cannot be unpacked. Each frame is put alone into a clean DICOM file in FOLDER, without rescaling and without the patient,
for GDCM to read: it knows every compression of the standard, and no header but ours reaches it.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import UID, SecondaryCaptureImageStorage

MEMORY_BYTES = 4 << 30


def main() -> None:
    """Unpack what standard input asks for."""
    _limit_memory()
    scratch = Path(sys.argv[1]) / "frame.dcm"
    requests = json.load(sys.stdin)
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
    for request in requests:
        sys.stdout.buffer.write(unpack(request, scratch).tobytes())
        sys.stdout.buffer.flush()


def _limit_memory() -> None:
    """Have a frame that promises gigabytes end this process before it fills the machine; Windows knows no such limit."""
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def unpack(request: dict[str, Any], scratch: Path) -> np.ndarray[Any, np.dtype[Any]]:
    """Return one frame (rows, columns) as it was stored before it was compressed; `scratch` is overwritten.

    Raises
    ------
    ValueError, RuntimeError
        If it cannot be unpacked, or is another image than its header says.
    """
    with Path(request["file"]).open("rb") as file:
        file.seek(request["start"])
        _write_alone(scratch, get_frame(file, request["frame"], number_of_frames=request["frames"]), request)
    image = sitk.ReadImage(str(scratch), imageIO="GDCMImageIO")
    dtype, size = np.dtype(request["dtype"]), (request["columns"], request["rows"], 1)
    if image.GetSize() != size or image.GetNumberOfComponentsPerPixel() != 1:
        raise ValueError("the frame is another image than its header says")
    pixels = sitk.GetArrayViewFromImage(image)[0]
    if pixels.dtype.itemsize > dtype.itemsize:
        raise ValueError("the frame has more bits than its header says")
    unpacked: np.ndarray[Any, np.dtype[Any]] = pixels.astype(dtype)
    return unpacked


def _write_alone(scratch: Path, frame: bytes, request: dict[str, Any]) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = SecondaryCaptureImageStorage, UID("1.2.3")
    meta.TransferSyntaxUID = UID(request["syntax"])
    header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID, header.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.Rows, header.Columns = request["rows"], request["columns"]
    header.BitsAllocated, header.BitsStored, header.HighBit = request["bits"]
    header.PixelRepresentation = int(request["signed"])
    header.PixelData = encapsulate([frame])
    header["PixelData"].VR, header["PixelData"].is_undefined_length = "OB", True
    pydicom.dcmwrite(scratch, header)


if __name__ == "__main__":
    main()
