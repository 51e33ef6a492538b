"""Scans of every kind, made on the spot: axis orders, oblique affines, DICOM series."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

AXIS_ORDERS = [
    (axes, signs) for axes in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)
]  # 6 x 8 = 48: which world axis each file axis runs along, and which way


def rotation(degrees: float) -> np.ndarray:
    """A rotation by `degrees` about the axis (1, 2, 3)."""
    x, y, z = np.array((1, 2, 3)) / np.sqrt(14)
    cross = np.array(((0, -z, y), (z, 0, -x), (-y, x, 0)))
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


@pytest.fixture(scope="session")
def axis_orders() -> list[tuple[tuple[int, int, int], tuple[int, int, int]]]:
    return AXIS_ORDERS


@pytest.fixture(scope="session")
def make_affine() -> Callable[..., np.ndarray]:
    """make_affine(axes, signs, degrees=0): file index (i, j, k, 1) to RAS mm with voxels of 0.5 x 1.25 x 3 mm."""

    def make(axes=(0, 1, 2), signs=(1, 1, 1), degrees=0.0) -> np.ndarray:
        affine = np.eye(4)
        turn = rotation(degrees)
        for column, (axis, sign, mm) in enumerate(zip(axes, signs, (0.5, 1.25, 3.0), strict=True)):
            affine[:3, column] = turn[:, axis] * sign * mm
        affine[:3, 3] = (-31.5, 42.25, -700.125)
        return affine

    return make


@pytest.fixture
def make_series(tmp_path) -> Callable[..., Path]:
    """make_series(name, slices=5, ...): a folder with a CT series of 6 rows and 4 columns, a file a slice.

    Pixel values are 100 * slice + 10 * row + column. `z` gives the slices' positions, `step` the vector between them;
    `edit(header, slice)` changes a header before it is written. The series of one test are of one study.
    """
    study = generate_uid()

    def make(name="series", slices=5, *, z=None, step=(0.0, 0.0, 2.5), edit=lambda header, index: None, prefix="") -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        series = generate_uid()
        for index in range(slices):
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID = CTImageStorage
            meta.MediaStorageSOPInstanceUID = generate_uid()
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
            header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
            header.StudyInstanceUID, header.SeriesInstanceUID, header.Modality = study, series, "CT"
            header.InstanceNumber = index + 1
            header.Rows, header.Columns = 6, 4
            header.PixelSpacing = [0.75, 0.5]  # between rows, between columns
            header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            at = index if z is None else z[index]
            header.ImagePositionPatient = [round(float(mm), 6) for mm in np.array((-10.0, 20.0, 30.0)) + at * np.array(step)]
            header.SliceThickness = 2.5
            header.BitsAllocated = header.BitsStored = 16
            header.HighBit, header.PixelRepresentation, header.SamplesPerPixel = 15, 1, 1
            header.PhotometricInterpretation = "MONOCHROME2"
            rows, columns = np.mgrid[:6, :4]
            header.PixelData = (100 * index + 10 * rows + columns).astype("<i2").tobytes()
            edit(header, index)
            # Written from last to first by name: the order of names says nothing about positions.
            pydicom.dcmwrite(folder / f"{prefix}{slices - index:03d}.dcm", header)
        return folder

    return make
