"""The projector in numpy says what the projector in torch says, for any cells, without a dense map."""

import numpy as np
import pytest
import torch

from cvrl_napari.engine.embed_cases import row_projectors
from cvrl_napari.engine.half import as_float32
from cvrl_napari.engine.projected_features import ProjectedFeatures
from cvrl_napari.nets.projector import Projector


@pytest.fixture
def projector() -> Projector:
    """A projector whose batch norm has seen something."""
    torch.manual_seed(0)
    made = Projector(6, 10)
    with torch.no_grad():
        for _ in range(20):
            made(3 * torch.randn(64, 6) + 1)
    return made.eval()


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(1, 2, (3, 4, 5, 6)).astype(np.float16)


@pytest.fixture
def projected(projector, features) -> ProjectedFeatures:
    return ProjectedFeatures(features, row_projectors(torch.nn.ModuleDict({"low": projector}))["low"])


def test_it_is_the_projector_of_the_training(projector, features, projected):
    with torch.inference_mode():
        expected = projector(torch.from_numpy(features).float().reshape(-1, 6)).numpy().reshape(3, 4, 5, 10)
    assert projected.shape == expected.shape
    np.testing.assert_allclose(np.asarray(projected), expected, atol=1e-5)
    np.testing.assert_allclose(projected[1, 2, 3], expected[1, 2, 3], atol=1e-5)
    np.testing.assert_allclose(projected[[0, 2], [1, 1], [4, 0]], expected[[0, 2], [1, 1], [4, 0]], atol=1e-5)
    np.testing.assert_allclose(projected.norms, np.linalg.norm(expected, axis=-1), rtol=1e-4)


@pytest.mark.parametrize("cells", [..., (slice(None), 2), (1, 2, 3)])
def test_products_need_no_dense_embeddings(projected, cells):
    query = np.random.default_rng(1).normal(size=10).astype(np.float32)
    np.testing.assert_allclose(projected.products(query, cells), np.asarray(projected)[cells] @ query, atol=1e-4)


def test_every_half_is_the_same_number_in_float32():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    assert np.array_equal(as_float32(halves), halves.astype(np.float32))
    assert np.array_equal(as_float32(halves[::3].astype(np.float64)), halves[::3].astype(np.float32))
