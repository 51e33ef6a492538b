"""A study with a small model that nobody trained, its features of three of four cases computed, and the second dock on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from cvrl_napari.config import NetConfig
from cvrl_napari.engine.embed_cases import embed_cases
from cvrl_napari.engine.model_card import ModelCard
from cvrl_napari.engine.model_file import save_model
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.embeddings.dock import EmbeddingsDock
from cvrl_napari.nets.build import build_net
from cvrl_napari.study.study import Study

NET = NetConfig(width=4, levels=3, classes=3)
RUN = "2026-01-01_000000-cvrl"


def save_untrained(study: Study, make_plan, *, run: str = RUN, seed: int = 0, **net) -> Path:
    """Save a model with random weights as a run's; its cells are 4 x 2 x 2 mm, other than the voxels in all directions."""
    torch.manual_seed(seed)
    path = study.runs_folder / run / "model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    config = NET.model_copy(update=net)
    card = ModelCard.of(make_plan(net=config, spacing=(4.0, 2.0, 2.0)), study, metrics={})
    save_model(path, build_net(config).eval(), card)
    return path


@pytest.fixture
def model(ball_study: Study, make_plan) -> Path:
    """The model, of which the features of a, b and c are computed; d's are not."""
    path = save_untrained(ball_study, make_plan)
    list(embed_cases(ball_study, path, ["a", "b", "c"], device="cpu", threads=1))
    return path


@pytest.fixture
def viewer() -> ViewerModel:
    """A viewer without a window: layers, dims and mouse callbacks are the real ones, and it is there at once."""
    return ViewerModel()


@pytest.fixture
def main_dock(viewer, ball_study: Study, qtbot: QtBot) -> Iterator[CvrlDock]:
    """The dock CVRL with the study open and case 'c', unlabeled, on view."""
    made = CvrlDock(viewer)
    ball_study.close()
    with qtbot.waitSignal(made.session.case_opened):
        made.open_folders([ball_study.folder])
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def dock(model: Path, viewer, main_dock: CvrlDock, qtbot: QtBot) -> Iterator[EmbeddingsDock]:
    """The second dock, its scatter showing case 'c'."""
    made = EmbeddingsDock(viewer, main_dock)
    made.resize(1000, 300)
    made.show()
    qtbot.waitUntil(lambda: made.cloud.sample is not None)
    yield made
    made.close()
    made.deleteLater()
