import gzip
import tracemalloc
from contextlib import suppress

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from cvrl_napari.volumes.errors import SeveralVolumesError, VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.writing import write

DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float32"]


def voxels(dtype="int16", shape=(3, 4, 5)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 120, shape).astype(dtype)


def header_fields(path) -> dict[str, bytes]:
    """The raw bytes of the header's fields as they are on disk; nibabel's own reader clears some."""
    content = path.read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    loaded = nibabel.load(path).header
    raw = type(loaded)(content[: loaded.sizeof_hdr], check=False)
    return {name: raw[name].tobytes() for name in raw}


@pytest.mark.parametrize("degrees", [0, 25])
@pytest.mark.parametrize("endian", ["<", ">"])
def test_round_trips_of_all_48_axis_orders_are_exact(tmp_path, axis_orders, make_affine, degrees, endian):
    for number, (axes, signs) in enumerate(axis_orders):
        dtype = DTYPES[number % len(DTYPES)]
        array, affine = voxels(dtype), make_affine(axes, signs, degrees)
        image_class = nibabel.Nifti1Image if number % 3 else nibabel.Nifti2Image
        image = image_class(array, affine, image_class.header_class(endianness=endian), dtype=dtype)
        image.set_qform(affine, code="scanner")
        image.header["descrip"] = b"a scan"
        image.header.set_xyzt_units("mm", "sec")
        scan, copy = tmp_path / f"scan{number}.nii.gz", tmp_path / f"copy{number}.nii{'.gz' * (number % 2)}"
        nibabel.save(image, scan)

        volume = read(scan)
        assert volume.orientation == "SPL"
        assert volume.array.dtype == np.dtype(dtype)
        write(copy, volume)

        written = nibabel.load(copy)
        assert np.array_equal(np.asanyarray(written.dataobj), array)
        assert np.array_equal(written.affine, nibabel.load(scan).affine)
        before, after = header_fields(scan), header_fields(copy)
        assert {name for name in before if before[name] != after[name]} <= {"scl_slope", "scl_inter"}
        assert np.array_equal(read(copy).array, volume.array)
        assert np.array_equal(read(copy).affine, volume.affine)


def test_a_plain_file_is_mapped_not_loaded(tmp_path, make_affine):
    path = tmp_path / "scan.nii"
    nibabel.save(nibabel.Nifti1Image(voxels(), make_affine()), path)
    array = read(path).array
    assert not array.flags.writeable
    base = array
    while not isinstance(base, np.memmap):
        base = base.base
    assert base.mode == "r"


@pytest.mark.parametrize(("dtype", "slope", "inter"), [("int16", 0.25, -3.5), ("int32", 2.0, 0.0), ("uint8", 1.0, -1024.0)])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_scaled_voxels_are_float32(tmp_path, make_affine, dtype, slope, inter, suffix):
    path = tmp_path / f"scan{suffix}"
    image = nibabel.Nifti1Image(voxels(dtype), make_affine(), dtype=dtype)
    image.header.set_slope_inter(slope, inter)
    nibabel.save(image, path)
    array = read(path).array
    assert array.dtype == np.float32
    stored = np.asanyarray(nibabel.load(path).dataobj)  # nibabel rescales while saving: what counts is what it reads
    assert np.allclose(np.sort(array, axis=None), np.sort(stored, axis=None), rtol=1e-6)


def test_large_integers_are_scaled_before_they_are_rounded(tmp_path, make_affine):
    path = tmp_path / "scan.nii"
    image = nibabel.Nifti1Image(np.full((2, 2, 2), 2**30 + 1, np.int32), make_affine())
    nibabel.save(image, path)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array((1.0, -(2.0**30)), "<f4").tobytes()  # scl_slope, scl_inter
    path.write_bytes(content)
    assert np.array_equal(read(path).array, np.ones((2, 2, 2)))


@pytest.mark.parametrize(
    ("dtype", "kind"), [("float64", np.float32), ("float32", np.float32), (">f4", np.float32), (">i2", np.int16)]
)
def test_voxels_in_memory_are_native(tmp_path, make_affine, dtype, kind):
    path = tmp_path / "scan.nii"
    endian = ">" if dtype.startswith(">") else "<"
    header = nibabel.Nifti1Header(endianness=endian)
    nibabel.save(nibabel.Nifti1Image(voxels(dtype), make_affine(), header, dtype=dtype), path)
    array = read(path).array
    assert array.dtype == kind
    assert array.dtype.isnative
    assert np.array_equal(np.sort(array, axis=None), np.sort(voxels(), axis=None))


def test_a_pair_of_header_and_image(tmp_path, make_affine):
    nibabel.save(nibabel.Nifti1Pair(voxels(), make_affine()), tmp_path / "scan.img")
    from_header, from_image = read(tmp_path / "scan.hdr"), read(tmp_path / "scan.img")
    assert np.array_equal(from_header.array, from_image.array)
    assert from_header.array.sum() == voxels().sum()
    write(tmp_path / "copy.nii", from_header)
    assert np.array_equal(nibabel.load(tmp_path / "copy.nii").affine, make_affine())


def test_units_are_brought_to_mm_and_back(tmp_path, make_affine):
    scan, mask = tmp_path / "scan.nii", tmp_path / "mask.nii"
    image = nibabel.Nifti1Image(voxels(), make_affine())
    image.header.set_xyzt_units("micron")
    nibabel.save(image, scan)
    volume = read(scan)
    assert volume.spacing == pytest.approx((0.003, 0.00125, 0.0005))
    assert volume.spacing[::-1] == pytest.approx(sitk.ReadImage(str(scan)).GetSpacing())
    write(mask, volume)
    assert np.array_equal(nibabel.load(mask).affine, make_affine())
    assert read(mask).same_grid(volume, tolerance_mm=0)


def test_without_forms_the_voxel_sizes_place_the_scan_as_nibabel_does(tmp_path):
    path = tmp_path / "scan.nii"
    image = nibabel.Nifti1Image(voxels(), None)
    image.header.set_zooms((0.5, 1.25, 3))
    nibabel.save(image, path)
    loaded = nibabel.load(path)
    assert loaded.header["sform_code"] == loaded.header["qform_code"] == 0
    volume = read(path)
    assert volume.spacing == (3.0, 1.25, 0.5)
    assert np.array_equal(volume.source.affine, loaded.affine)
    assert "neither sform nor qform" in volume.notice


def test_a_fourth_axis_of_one_voxel_is_dropped(tmp_path, make_affine):
    scan, mask = tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(voxels()[..., None, None], make_affine()), scan)
    volume = read(scan)
    assert volume.array.shape == (5, 4, 3)
    write(mask, volume)
    assert nibabel.load(mask).shape == (3, 4, 5)
    assert np.array_equal(nibabel.load(mask).affine, make_affine())


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_one_of_several_volumes(tmp_path, make_affine, suffix):
    path = tmp_path / f"scan{suffix}"
    several = voxels(shape=(3, 4, 5, 2, 3))
    nibabel.save(nibabel.Nifti1Image(several, make_affine()), path)
    with pytest.raises(SeveralVolumesError, match="holds 6 volumes") as caught:
        read(path)
    assert (caught.value.path, caught.value.count) == (path, 6)
    for part in range(6):
        volume = read(path, part=part)
        assert np.array_equal(volume.source.order.to_file(volume.array), several[..., part % 2, part // 2])
    write(tmp_path / "mask.nii.gz", volume)
    assert nibabel.load(tmp_path / "mask.nii.gz").shape == (3, 4, 5)
    with pytest.raises(VolumeError, match="no volume number 6"):
        read(path, part=6)


class TestTwoForms:
    """sform before qform before voxel sizes, as nibabel and most programs choose."""

    @pytest.fixture
    def path(self, tmp_path, make_affine):
        def save(sform_code, qform_code, moved_mm=0.0):
            image = nibabel.Nifti1Image(voxels(), None)
            sform, qform = make_affine(degrees=10), make_affine(degrees=10)
            qform[0, 3] += moved_mm
            image.set_qform(qform, qform_code)
            image.set_sform(sform, sform_code)
            nibabel.save(image, tmp_path / "scan.nii")
            return tmp_path / "scan.nii"

        return save

    @pytest.mark.parametrize("moved_mm", [-20, 20, 2.9])
    def test_the_sform_counts_where_they_differ_and_the_notice_says_so(self, path, make_affine, moved_mm):
        volume = read(path(4, 1, moved_mm))
        assert np.allclose(volume.source.affine, make_affine(degrees=10), atol=1e-4)
        assert "sform and qform" in volume.notice

    def test_less_than_a_voxel_is_not_worth_a_word(self, path):
        assert read(path(1, 1, 0.4)).notice == ""

    def test_a_form_without_a_code_does_not_count(self, path, make_affine):
        moved = make_affine(degrees=10)
        moved[0, 3] += 20
        volume = read(path(0, 1, 20))
        assert np.allclose(volume.source.affine, moved, atol=1e-4)
        assert volume.notice == ""
        assert read(path(1, 0, 20)).notice == ""


def test_sheared_axes_are_kept_and_the_notice_says_so(tmp_path, make_affine):
    affine = make_affine((2, 0, 1), (1, -1, 1))
    affine[:3, 2] += 0.2 * affine[:3, 1]  # a tilted gantry
    nibabel.save(nibabel.Nifti1Image(voxels(), affine), tmp_path / "scan.nii")
    volume = read(tmp_path / "scan.nii")
    assert np.array_equal(volume.source.affine, nibabel.load(tmp_path / "scan.nii").affine)
    assert "not at right angles" in volume.notice


def test_voxels_of_a_mapped_file_stay_on_disk_until_they_are_looked_at(tmp_path):
    path = tmp_path / "scan.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4)), path)
    header = bytearray(path.read_bytes()[:352])
    header[42:48] = np.array((2000, 2000, 500), "<i2").tobytes()
    with path.open("wb") as file:  # 4 GB of nothing: a sparse file
        file.write(header)
        file.truncate(352 + 2000 * 2000 * 500 * 2)
    tracemalloc.start()
    try:
        volume = read(path)
        assert volume.array.shape == (500, 2000, 2000)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_zipped_or_not_is_seen_in_the_file_not_in_its_name(tmp_path, make_affine):
    nibabel.save(nibabel.Nifti1Image(voxels(), make_affine()), tmp_path / "scan.nii")
    content = (tmp_path / "scan.nii").read_bytes()
    (tmp_path / "plain.nii.gz").write_bytes(content)
    (tmp_path / "zipped.nii").write_bytes(gzip.compress(content))
    for name in ("plain.nii.gz", "zipped.nii"):
        assert np.array_equal(read(tmp_path / name).array, read(tmp_path / "scan.nii").array)


def test_a_mask_forgets_the_scaling_and_the_window_of_its_scan(tmp_path, make_affine):
    scan, mask = tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz"
    image = nibabel.Nifti1Image(voxels(), make_affine())
    image.header.set_slope_inter(0.5, 7)
    image.header["cal_max"] = 400
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"about the scan"))
    nibabel.save(image, scan)
    volume = read(scan)
    write(mask, volume.with_array(np.ones(volume.array.shape, np.uint8)))
    fields = header_fields(mask)
    loaded = nibabel.load(mask)
    assert loaded.get_data_dtype() == np.uint8
    assert fields["scl_slope"] == np.float32(1).tobytes()
    assert fields["scl_inter"] == np.float32(0).tobytes()
    assert fields["cal_max"] == np.float32(0).tobytes()
    assert not loaded.header.extensions
    assert np.asanyarray(loaded.dataobj).sum() == 60


@settings(max_examples=100, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 347), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_header_is_read_or_refused_but_never_surprises(tmp_path_factory, make_affine, changes):
    path = tmp_path_factory.mktemp("damaged") / "scan.nii"
    nibabel.save(nibabel.Nifti1Image(voxels(), make_affine()), path)
    content = bytearray(path.read_bytes())
    for offset, byte in changes:
        content[offset] = byte
    path.write_bytes(content)
    with suppress(VolumeError):
        volume = read(path)
        assert volume.orientation == "SPL"
        assert np.isfinite(volume.array).all()


class TestRefused:
    """Each with a sentence that names the file, says what is wrong and what to do."""

    @pytest.fixture
    def refuse(self, tmp_path):
        def check(image_or_bytes, words, name="scan.nii.gz"):
            path = tmp_path / name
            if isinstance(image_or_bytes, bytes):
                path.write_bytes(image_or_bytes)
            else:
                nibabel.save(image_or_bytes, path)
            with pytest.raises(VolumeError, match=words) as caught:
                read(path)
            assert str(path) in str(caught.value)
            assert "\n" not in str(caught.value)
            assert str(caught.value).endswith(".")

        return check

    @pytest.fixture
    def plain(self, tmp_path, make_affine) -> bytes:
        path = tmp_path / "good.nii"
        nibabel.save(nibabel.Nifti1Image(voxels(shape=(30, 30, 30)), make_affine()), path)
        return path.read_bytes()

    def test_several_volumes(self, refuse, make_affine):
        refuse(nibabel.Nifti1Image(voxels(shape=(3, 4, 5, 2)), make_affine()), "holds 2 volumes")

    def test_a_flat_image(self, refuse, make_affine):
        refuse(nibabel.Nifti1Image(voxels(shape=(3, 4)), make_affine()), "2 axes")

    @pytest.mark.parametrize("shape", [(2562, 1, 1), (1, 1, 400), (1, 5, 1, 20)])
    def test_a_time_series_or_a_surface_is_no_volume(self, refuse, make_affine, shape):
        refuse(nibabel.Nifti1Image(voxels(shape=shape), make_affine()), "one voxel along 2 of its axes.*time series")

    @pytest.mark.parametrize(
        ("intent", "words"),
        [(3006, "a CIFTI file"), (3099, "a CIFTI file"), (1008, "a surface"), (2005, "a surface"), (2003, "a color image")],
    )
    def test_what_else_is_kept_in_nifti(self, refuse, make_affine, intent, words):
        image = nibabel.Nifti2Image(voxels(), make_affine())
        image.header["intent_code"] = intent
        refuse(image, words, "scan.dscalar.nii")

    def test_complex_numbers(self, refuse, make_affine):
        refuse(nibabel.Nifti1Image(voxels("complex64"), make_affine()), "complex")

    def test_colors(self, refuse, make_affine):
        colors = np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])
        refuse(nibabel.Nifti1Image(colors, make_affine()), "colors")

    @pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
    def test_voxels_that_are_not_finite(self, refuse, make_affine, name):
        array = voxels("float32")
        array[0, 0, 0], array[1, 2, 3], array[2, 2, 2] = np.nan, np.inf, -np.inf
        refuse(nibabel.Nifti1Image(array, make_affine()), "3 voxels that are not finite", name)

    def test_numbers_beyond_float32(self, refuse, make_affine):
        array = voxels("float64")
        array[0, 0, 0] = 1e300
        refuse(nibabel.Nifti1Image(array, make_affine()), "1 voxels that are not finite")

    @pytest.mark.parametrize("number", [0.0, np.nan, np.inf])
    def test_an_affine_that_cannot_be_inverted(self, refuse, plain, number):
        content = bytearray(plain)
        content[280:284] = np.float32(number).tobytes()  # srow_x[0]
        refuse(bytes(content), "where its voxels lie", "scan.nii")

    @pytest.mark.parametrize("share", [0.001, 0.2, 0.9, 0.9999])
    def test_a_zipped_file_that_is_cut_off(self, refuse, plain, share):
        zipped = gzip.compress(plain)
        refuse(zipped[: int(share * len(zipped))], "cut off or damaged|not a NIfTI")

    @pytest.mark.parametrize("size", [100, 348, 400, 54_351])
    def test_a_plain_file_that_is_cut_off(self, refuse, plain, size):
        assert len(plain) == 54_352
        refuse(plain[:size], "cut off or damaged|not a NIfTI", "scan.nii")

    def test_a_zipped_file_with_a_flipped_bit(self, refuse, plain):
        zipped = bytearray(gzip.compress(plain, compresslevel=0))
        zipped[30_000] ^= 1  # stored, not deflated: only the checksum can tell
        refuse(bytes(zipped), "damaged.*(checksum|data check)")

    @pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "scan.hdr"])
    def test_a_text_file(self, refuse, name):
        refuse(b"this is not a scan\n" * 100, "not a NIfTI|damaged|one file of a pair", name)

    def test_an_empty_file(self, refuse):
        refuse(b"", "is empty")

    def test_an_empty_zip(self, refuse):
        refuse(gzip.compress(b""), "not a NIfTI")

    @pytest.mark.parametrize("zipped", [False, True])
    def test_a_header_that_promises_petabytes(self, refuse, plain, zipped):
        content = bytearray(plain)
        content[40:56] = np.array((3, 32_000, 32_000, 32_000, 1, 1, 1, 1), "<i2").tobytes()
        refuse(gzip.compress(content) if zipped else bytes(content), "promises 65,536,000,000,000 bytes", "scan.nii")

    def test_a_spacing_of_zero_where_nothing_else_places_the_scan(self, refuse, plain):
        content = bytearray(plain)
        content[80:84] = np.float32(0).tobytes()  # pixdim[1]
        content[252:256] = bytes(4)  # qform_code, sform_code
        refuse(bytes(content), "spacing is zero", "scan.nii")

    def test_negative_sizes(self, refuse, plain):
        content = bytearray(plain)
        content[42:44] = np.array(-5, "<i2").tobytes()
        refuse(bytes(content), "damaged|not a 3D scan", "scan.nii")
