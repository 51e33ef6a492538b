"""Surfaces round structures: where they lie, how much they hold."""

import numpy as np
import pytest
from skimage.measure import mesh_surface_area

from cvrl_napari.gui.views.surfaces import brightness, meshes_of

SPACING, ORIGIN = np.array((3.0, 1.0, 1.5)), np.array((-40.0, 20.0, 7.0))


def ball(radius_mm: float) -> np.ndarray:
    places = np.indices((30, 60, 50)) * SPACING[:, None, None, None]
    center = np.array((45.0, 30.0, 36.0))[:, None, None, None]
    return np.sqrt(((places - center) ** 2).sum(axis=0)) < radius_mm


def test_a_ball_has_the_surface_of_a_ball_in_its_place():
    labels = np.zeros((30, 60, 50), np.uint8)
    labels[ball(20)] = 3
    (mesh,) = meshes_of(labels, SPACING, ORIGIN)
    assert mesh.value == 3
    np.testing.assert_allclose(mesh.vertices.mean(axis=0), np.add(ORIGIN, (45, 30, 36)), atol=1.0)
    distances = np.linalg.norm(mesh.vertices - np.add(ORIGIN, (45, 30, 36)), axis=1)
    np.testing.assert_allclose(distances, 20, atol=2.5)
    assert mesh_surface_area(mesh.vertices, mesh.faces) == pytest.approx(4 * np.pi * 20**2, rel=0.05)


def test_every_class_has_its_own_and_painted_background_none():
    labels = np.zeros((12, 20, 20), np.uint8)
    labels[2:6, 2:9, 2:9], labels[6:10, 9:18, 9:18], labels[0] = 1, 7, 255
    assert [mesh.value for mesh in meshes_of(labels, SPACING, ORIGIN)] == [1, 7]


def test_a_single_voxel_and_an_empty_array():
    labels = np.zeros((5, 5, 5), np.uint8)
    assert meshes_of(labels, SPACING, ORIGIN) == []
    labels[0, 4, 2] = 1
    (mesh,) = meshes_of(labels, SPACING, ORIGIN)
    np.testing.assert_allclose(mesh.vertices.mean(axis=0), np.add(ORIGIN, (0, 4, 3)), atol=0.2)


def test_a_large_structure_is_made_coarser_and_stays_in_place():
    labels = np.zeros((260, 260, 260), np.uint8)
    labels[5:255, 5:255, 5:255] = 1
    (mesh,) = meshes_of(labels, (1, 1, 1), (0, 0, 0))
    np.testing.assert_allclose(mesh.vertices.min(axis=0), 4.5, atol=1.6)
    np.testing.assert_allclose(mesh.vertices.max(axis=0), 254.5, atol=1.6)
    assert len(mesh.vertices) < 300_000


def test_light_comes_from_the_front_and_above():
    labels = np.zeros((30, 60, 50), np.uint8)
    labels[ball(20)] = 1
    (mesh,) = meshes_of(labels, SPACING, ORIGIN)
    light = brightness(mesh.vertices, mesh.faces)
    assert light.min() >= 0
    assert light.max() <= 1
    front = mesh.vertices[:, 1] < ORIGIN[1] + 15
    assert light[front].mean() > 0.7
    assert light[mesh.vertices[:, 1] > ORIGIN[1] + 45].mean() < 0.3
