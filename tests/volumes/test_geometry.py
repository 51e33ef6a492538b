"""Every format into every other, in all 48 axis orders: the same voxels at the same places."""

import itertools

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from cvrl_napari.volumes.nrrd import write_nrrd
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.writing import write

DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
TARGETS = [".nii", ".nii.gz", ".nrrd", ".mha"]
TOLERANCE_MM = {".nii": 1e-4, ".nii.gz": 1e-4, ".nrrd": 0, ".mha": 1e-11}  # NIfTI-1 keeps affines as float32


def big_endian_nifti(path, array, affine):
    nibabel.save(nibabel.Nifti1Image(array, affine, nibabel.Nifti1Header(endianness=">"), dtype=array.dtype), path)


def big_endian_nrrd(path, array, affine):
    lps = np.diag((-1, -1, 1, 1)) @ affine
    axes = " ".join(f"({','.join(map(repr, column.tolist()))})" for column in lps[:3, :3].T)
    kind = {"float32": "float", "float64": "double"}.get(array.dtype.name, array.dtype.name)
    origin = ",".join(map(repr, lps[:3, 3].tolist()))
    fields = [
        f"type: {kind}", "dimension: 3", "space: left-posterior-superior", f"sizes: {' '.join(map(str, array.shape))}",
        f"space directions: {axes}", "endian: big", "encoding: raw", f"space origin: ({origin})",
    ]  # fmt: skip
    header = "\n".join(["NRRD0004", *fields, "", ""])
    path.write_bytes(header.encode() + array.astype(array.dtype.newbyteorder(">")).tobytes(order="F"))


def mha(path, array, affine):
    lps = np.diag((-1, -1, 1, 1)) @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    image.SetSpacing(spacing)
    image.SetOrigin(lps[:3, 3])
    image.SetDirection((lps[:3, :3] / spacing).ravel())
    sitk.WriteImage(image, str(path))


SOURCES = {".nii": big_endian_nifti, ".nrrd": big_endian_nrrd, ".mha": mha}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
def test_48_axis_orders_from_one_format_to_another(tmp_path, axis_orders, make_affine, source, target):
    random = np.random.default_rng(0)
    dtypes = itertools.cycle(DTYPES)
    for number, (axes, signs) in enumerate(axis_orders):
        affine = make_affine(axes, signs, degrees=25 * (number % 2))
        array = random.integers(0, 120, (3, 4, 5)).astype(next(dtypes))
        scan, copy = tmp_path / f"scan{number}{source}", tmp_path / f"copy{number}{target}"
        SOURCES[source](scan, array, affine)
        before = read(scan)
        write(copy, before)
        after = read(copy)
        kept = np.dtype("float32") if array.dtype == np.float64 else array.dtype
        for volume in (before, after):
            assert volume.array.dtype == kept
            assert np.array_equal(volume.source.order.to_file(volume.array), array)  # its scan's axis order, too
        tolerance = 0 if source == target == ".nii" else TOLERANCE_MM[target]
        assert np.allclose(after.affine, before.affine, rtol=0, atol=tolerance)
        assert np.allclose(before.source.affine, affine, rtol=0, atol=TOLERANCE_MM[source])


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".mgz"])
def test_random_voxels_lie_where_the_library_of_their_format_puts_them(tmp_path, axis_orders, make_affine, suffix):
    random = np.random.default_rng(1)
    for number, (axes, signs) in enumerate(axis_orders[::3]):
        array, affine = random.integers(0, 30_000, (7, 5, 6)).astype(np.int16), make_affine(axes, signs, random.uniform(0, 40))
        path = tmp_path / f"scan{number}{suffix}"
        match suffix:
            case ".nrrd":
                write_nrrd(path, array, affine, {})
            case ".mha":
                mha(path, array, affine)
            case ".mgz":
                nibabel.save(nibabel.MGHImage(array, affine), path)
            case _:
                image = nibabel.Nifti1Image(array, affine)
                image.set_qform(affine, code="scanner")
                nibabel.save(image, path)
        volume = read(path)
        index = random.integers(0, volume.array.shape, (10, 3))
        values = volume.array[tuple(index.T)]
        if suffix != ".mgz":
            image = sitk.ReadImage(str(path))
            for place, value in zip(volume.world_mm(index), values, strict=True):
                at = image.TransformPhysicalPointToIndex((place * (-1, -1, 1)).tolist())
                assert np.allclose(image.TransformIndexToPhysicalPoint(at), place * (-1, -1, 1), rtol=0, atol=1e-4)
                assert image[at] == value
        if suffix not in (".nrrd", ".mha"):
            image = nibabel.load(path)
            at = np.rint(np.linalg.solve(image.affine[:3, :3], (volume.world_mm(index) - image.affine[:3, 3]).T)).astype(int)
            assert np.allclose((image.affine[:3, :3] @ at).T + image.affine[:3, 3], volume.world_mm(index), rtol=0, atol=1e-4)
            assert np.array_equal(np.asanyarray(image.dataobj)[tuple(at)], values)
