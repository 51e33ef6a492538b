"""The status bar names the place of a voxel as nibabel does, on real oblique and flipped scans, and what is there."""

import re

import nibabel
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.readers import read_layers
from cvrl_napari.gui.world_position import WorldPosition, place_words, spot_at
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.reading import read

WORDS = re.compile(
    r"(right|left) ([\d.]+)  (anterior|posterior) ([\d.]+)  (superior|inferior) ([\d.]+) mm · voxel \((.*)\) · (.*)"
)


@pytest.fixture
def viewer(qapp) -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def position(viewer):
    made = WorldPosition(viewer)
    yield made
    made.close()


def status_at(viewer, layer: Layer, index) -> str:
    """Put the cursor on a voxel, off its center, and ask as napari's thread does."""
    rng = np.random.default_rng(0)
    viewer.mouse_over_canvas = True
    viewer.layers.selection.active = layer
    viewer.cursor.position = layer.data_to_world(np.asarray(index) + rng.uniform(-0.45, 0.45, 3))
    status, _ = viewer._calc_status_from_cursor()
    return status["coordinates"]


def parsed(words: str) -> tuple[np.ndarray, tuple[int, ...], str]:
    match = WORDS.fullmatch(words)
    assert match is not None, words
    signs = [1 if match[1] == "right" else -1, 1 if match[3] == "anterior" else -1, 1 if match[5] == "superior" else -1]
    ras = np.array([float(match[number]) for number in (2, 4, 6)]) * signs
    return ras, tuple(int(part) for part in match[7].split(",")), match[8]


REAL_SCANS = (
    "nifti/CT_pitch.nii.gz",  # oblique
    "nifti/minimal.nii.gz",  # runs to the left, as most scanners store it
    "nifti/reoriented_anat_moved.nii",
    "labelled/t2.nii.gz",  # sagittal slices
    "orientations/SLA.nii.gz",
    "orientations/LPI.nii.gz",
)


def test_any_voxel_lies_where_nibabel_says(viewer, position, shared_data):
    rng = np.random.default_rng(1)
    for path in (shared_data / "clinical" / name for name in REAL_SCANS):
        file = nibabel.load(path)
        volume = read(path)
        order = volume.source.order
        ((array, about, _),) = read_layers(str(path))
        layer = viewer.add_image(array, **about)
        values = np.asanyarray(file.dataobj).reshape(file.shape[:3])
        back = np.stack(np.meshgrid(*map(np.arange, file.shape[:3]), indexing="ij"), axis=-1)
        to_file = np.stack([order.to_canonical(back[..., axis]) for axis in range(3)], axis=-1)
        for index in rng.integers(0, array.shape, (25, 3)):
            ijk = to_file[tuple(index)]
            expected = (file.affine @ (*ijk, 1))[:3]
            spot = spot_at(layer, layer.data_to_world(index))
            np.testing.assert_allclose(spot.ras_mm, expected, atol=1e-4)
            ras, voxel, rest = parsed(status_at(viewer, layer, index))
            np.testing.assert_allclose(ras, expected, atol=0.0501)
            assert voxel == tuple(index)
            assert float(rest) == pytest.approx(float(values[tuple(ijk)]), rel=1e-5)
        viewer.layers.clear()


def test_the_classes_painted_and_predicted_are_named(viewer, position, ball_study: Study):
    layers = Layers(viewer)
    layers.show_case(ball_study, "a")
    mask = np.zeros((12, 20, 16), np.uint8)
    ball = tuple(np.argwhere(layers.labels_array() == 1)[0])
    mask[ball] = 2
    layers.set_mask(mask)
    layers.labels_array()[0, 0, 0] = 255
    grey = ball_study.read_scan("a").array
    for layer in viewer.layers:  # whichever of the case's layers is selected
        assert parsed(status_at(viewer, layer, ball))[2] == f"{float(grey[ball]):.7g} · ball · mask: shell"
        assert parsed(status_at(viewer, layer, (0, 0, 0)))[2] == f"{float(grey[0, 0, 0]):.7g} · background (painted)"
        assert parsed(status_at(viewer, layer, (11, 0, 0)))[2] == f"{float(grey[11, 0, 0]):.7g}"
    assert status_at(viewer, viewer.layers[1], (-3, 0, 0)).endswith("mm · outside the scan")
    layers.close()


def test_the_side_is_a_word_and_small_voxels_have_more_decimals():
    assert place_words((-12.36, -33.04, 8.1)) == "left 12.4  posterior 33.0  superior 8.1 mm"
    assert place_words((1.0, 2.0, -3.0)) == "right 1.0  anterior 2.0  inferior 3.0 mm"
    assert place_words((-0.01234, 0, 0), finest_mm=0.012).startswith("left 0.01  ")


def test_layers_of_others_3d_and_a_closed_dock_have_naparis_own_status(viewer, ball_study: Study):
    position = WorldPosition(viewer)
    another = viewer.add_image(np.ones((4, 5, 6)))
    assert "mm" not in status_at(viewer, another, (1, 2, 3))
    ((array, about, _),) = read_layers(str(ball_study.case("a").scan))
    ours = viewer.add_image(array, **about)
    assert " mm · voxel (1, 2, 3)" in status_at(viewer, ours, (1, 2, 3))
    several = {another, ours}
    viewer.layers.selection = several
    status, _ = viewer._calc_status_from_cursor()
    assert "voxel (1, 2, 3) » " in status
    viewer.dims.ndisplay = 3
    assert " mm · " not in status_at(viewer, ours, (1, 2, 3))
    viewer.dims.ndisplay = 2
    position.close()
    assert " mm · " not in status_at(viewer, ours, (1, 2, 3))
