"""Tiny plans, batches and runs, on one thread: several threads on a busy machine only wait for each other."""

import pytest
import torch

from cvrl_napari.config import AugmentConfig, ConsistencyConfig, ContrastConfig, NetConfig, OptimizerConfig, Plan
from cvrl_napari.data.batch import Batch

BASE = {
    "preset": "quick",
    "device": "cpu",
    "threads": 1,
    "precision": "float32",
    "seed": 0,
    "steps": 100,
    "spacing": (1.0, 1.0, 1.0),
    "patch_size": (16, 16, 16),
    "augment": AugmentConfig(),
    "optimizer": OptimizerConfig(),
    "labeled_cases": ("a",),
    "unlabeled_cases": ("b",),
}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_plan():
    """Return a function that makes a plan of a tiny network, settings by name on top."""

    def make(method="cvrl", *, net=None, contrast=None, consistency=None, **settings):
        contrast = {
            "voxels": 64,
            "low_voxel_weight": 0.1,
            "low_queue_size": 100,
            "high_queue_size": 50,
            "embedding_size": 16,
            **(contrast or {}),
        }
        return Plan(
            method=method,
            net=NetConfig(**{"classes": 3, "width": 4, "levels": 3, **(net or {})}),
            contrast=ContrastConfig(**contrast),
            consistency=ConsistencyConfig(**(consistency or {})),
            **{**BASE, **settings},
        )

    return make


@pytest.fixture
def make_batch():
    """Return a function that makes a batch of blobs of two classes, the unlabeled ones of the same kind."""

    def make(labeled=2, unlabeled=2, size=(16, 16, 16), seed=0):
        generator = torch.Generator().manual_seed(seed)
        count = labeled + unlabeled
        smooth = torch.nn.functional.interpolate(torch.randn(count, 1, 4, 4, 4, generator=generator), size, mode="trilinear")
        labels = ((smooth[:, 0] > 0.2).byte() + (smooth[:, 0] > 0.6).byte())[:labeled]
        noise = 0.1 * torch.randn(2, *smooth.shape, generator=generator)
        return Batch(smooth + noise[0], smooth + noise[1], labels)

    return make


@pytest.fixture
def train():
    """Return a function that takes steps with a method and gives back the losses of each."""

    def run(method, batches, *, progress=0.5, first_step=1, learning_rate=1e-2):
        optimizer = torch.optim.SGD([weights for weights in method.parameters() if weights.requires_grad], lr=learning_rate)
        history = []
        for step, batch in enumerate(batches, start=first_step):
            optimizer.zero_grad()
            losses = method.losses(batch, progress)
            losses["total"].backward()
            optimizer.step()
            method.after_step(step)
            history.append({name: value.item() for name, value in losses.items()})
        return history

    return run
