"""What reading a DICOM series costs: headers, then pixels with one thread and with several, beside ITK's own reader.

A CT series is made up in a temporary folder, 300 slices of 512 x 512 pixels of 16 bits, with a slope and an intercept. The ways
of reading take turns, so that whatever else the machine does hits all alike; the files are in the system's cache.

    python tests/benchmarks/bench_dicom.py [--slices 300] [--repetitions 5] [--threads 1 2 4 8] [--compressed]

Seconds are medians, wall time and, in brackets, processor time. Memory is the largest that was taken at any time while the
series was read, as a multiple of the array.
"""

import argparse
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RLELossless, generate_uid

from cvrl_napari.volumes.dicom_pixels import read_pixels
from cvrl_napari.volumes.dicom_series import dicom_files, group_slices
from cvrl_napari.volumes.reading import read

SIZE = 512


def make_series(folder: Path, slices: int, *, compressed: bool) -> None:
    """Write a CT series, a file a slice."""
    series, noise = generate_uid(), np.random.default_rng(0).integers(0, 200, (SIZE, SIZE))
    for index in range(slices):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        header.StudyInstanceUID, header.SeriesInstanceUID, header.Modality = series, series, "CT"
        header.InstanceNumber, header.Rows, header.Columns = index + 1, SIZE, SIZE
        header.PixelSpacing, header.ImageOrientationPatient = [0.7, 0.7], [1, 0, 0, 0, 1, 0]
        header.ImagePositionPatient = [-180, -180, 1.0 * index]
        header.BitsAllocated = header.BitsStored = 16
        header.HighBit, header.PixelRepresentation, header.SamplesPerPixel = 15, 0, 1
        header.PhotometricInterpretation, header.RescaleSlope, header.RescaleIntercept = "MONOCHROME2", 1, -1024
        header.PixelData = (noise + 5 * index).astype("<u2").tobytes()
        if compressed:
            header.compress(RLELossless)
        pydicom.dcmwrite(folder / f"{index:04d}", header)


def itk_series(folder: Path) -> None:
    """Read the series as ITK does by itself."""
    sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))


def timed(function: Callable[[], object]) -> tuple[float, float]:
    """Return the wall and the processor seconds of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - processor


def peak(folder: Path) -> float:
    """Return the most memory taken while the series is read, as a multiple of its array."""
    tracemalloc.start()
    volume = read(folder)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / volume.array.nbytes


def main() -> None:
    """Make the series, let the ways of reading take turns, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--compressed", action="store_true", help="run-length encoded files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cvrl-bench-") as name:
        folder = Path(name)
        make_series(folder, options.slices, compressed=options.compressed)
        (stack,) = group_slices(dicom_files(folder))
        ways: dict[str, Callable[[], object]] = {"headers": lambda: group_slices(dicom_files(folder))}
        ways |= {f"pixels, {count} threads": partial(read_pixels, stack, count) for count in options.threads}
        ways |= {"all of it, as the program does": lambda: read(folder), "ITK's series reader": lambda: itk_series(folder)}
        seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _ in range(options.repetitions):
            for way, function in ways.items():
                seconds[way].append(timed(function))
        print(f"| {options.slices} x {SIZE} x {SIZE} | wall (processor) seconds |\n|---|---|")
        for way, times in seconds.items():
            wall, processor = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"| {way} | {wall:.2f} ({processor:.2f}) |")
        print(f"| largest memory, arrays | {peak(folder):.2f} |")


if __name__ == "__main__":
    main()
