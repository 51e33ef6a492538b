"""What lies in the cache is whole, of this model and this scan, and never more than it may be."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvrl_napari.engine.embedding_cache import (
    RECORD,
    CaseEmbeddings,
    CaseFolder,
    embeddings_folder,
    load_embeddings,
    prune,
    size_bytes,
)
from cvrl_napari.engine.projected_features import RowProjector
from cvrl_napari.study.errors import StudyError

SHAPE = (5, 6, 7)


@pytest.fixture
def model(tmp_path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"a model")
    return path


def store(study, model, case_id: str, *, projectors=True) -> CaseFolder:
    """Write embeddings as `embed_cases` does."""
    folder = CaseFolder(study, model, case_id)
    folder.begin()
    rng = np.random.default_rng(0)
    for level in ("low", "high"):
        np.save(folder.array(level, "features"), rng.normal(size=(*SHAPE, 4)).astype(np.float16))
        np.save(folder.array(level, "predicted"), rng.integers(0, 2, SHAPE).astype(np.uint8))
        np.save(folder.array(level, "uncertainty"), rng.uniform(size=SHAPE).astype(np.float16))
    sizes = [(4, 4), (4,), (9, 4), (9,)]
    projector = RowProjector(*(rng.normal(size=size).astype(np.float32) for size in sizes))
    scales = {"low": (4.0, 4.0, 4.0), "high": (32.0, 32.0, 32.0)}
    folder.finish((20, 24, 28), scales, {"low": projector} if projectors else {})
    return folder


def test_what_was_stored_comes_back_mapped(ball_study, model):
    assert load_embeddings(ball_study, model, "a") is None
    folder = store(ball_study, model, "a")
    assert folder.is_whole()
    low, high = (load_embeddings(ball_study, model, "a", level) for level in ("low", "high"))
    assert low is not None
    assert high is not None
    assert isinstance(low.features, np.memmap)
    assert low.features.shape == (*SHAPE, 4)
    assert low.projected is not None
    assert low.projected.shape == (*SHAPE, 9)
    assert high.projected is None
    assert (low.case, low.level, low.scale, low.scan_shape) == ("a", "low", (4.0, 4.0, 4.0), (20, 24, 28))
    np.testing.assert_allclose(low.norms, np.linalg.norm(low.features.astype(np.float32), axis=-1), rtol=1e-4)


def test_another_model_or_scan_has_none(ball_study, model, tmp_path):
    store(ball_study, model, "a")
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"another")
    assert load_embeddings(ball_study, other, "a") is None
    assert load_embeddings(ball_study, model, "b") is None
    assert load_embeddings(ball_study, tmp_path / "nowhere.safetensors", "a") is None
    other.write_bytes(model.read_bytes())
    assert load_embeddings(ball_study, other, "a") is not None  # the content counts, not the name
    model.write_bytes(b"a model, trained on")
    assert load_embeddings(ball_study, model, "a") is None


def test_a_scan_that_changed_or_went_has_none(ball_study, model):
    store(ball_study, model, "a")
    scan = ball_study.case("a").scan
    os.utime(scan, ns=(1, 1))
    assert load_embeddings(ball_study, model, "a") is None
    scan.unlink()
    assert load_embeddings(ball_study, model, "a") is None


def test_a_deleted_case_is_named(ball_study, model):
    with pytest.raises(StudyError, match="no case 'z'"):
        load_embeddings(ball_study, model, "z")


@pytest.mark.parametrize("name", ["low-features.npy", "low-predicted.npy", "low-uncertainty.npy", "low-projector.npz", RECORD])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99, None])
def test_files_cut_short_or_gone_count_as_absent(ball_study, model, name, share):
    folder = store(ball_study, model, "a")
    path = folder.path / name
    content = path.read_bytes()
    if share is None:
        path.unlink()
    else:
        path.write_bytes(content[: int(share * len(content))])
    assert load_embeddings(ball_study, model, "a") is None
    assert not folder.is_whole()


@pytest.mark.parametrize("what", ["features", "predicted", "uncertainty"])
def test_arrays_that_do_not_belong_together_count_as_absent(ball_study, model, what):
    folder = store(ball_study, model, "a")
    array = np.load(folder.array("low", what))
    np.save(folder.array("low", what), array[1:])
    assert load_embeddings(ball_study, model, "a") is None
    np.save(folder.array("low", what), array.astype(np.float64))
    assert load_embeddings(ball_study, model, "a") is None


def test_a_beginning_forgets_what_was_there(ball_study, model):
    store(ball_study, model, "a").begin()
    assert load_embeddings(ball_study, model, "a") is None


def test_the_oldest_used_go_first(ball_study, model):
    folders = {name: store(ball_study, model, name) for name in "abcd"}
    one = size_bytes(ball_study) // 4
    for age, name in enumerate("abcd"):
        os.utime(folders[name].path / RECORD, (1000 + age, 1000 + age))
    assert load_embeddings(ball_study, model, "a") is not None  # used just now
    left = prune(ball_study, limit_bytes=2 * one + 1)
    assert left == size_bytes(ball_study) <= 2 * one + 1
    assert [name for name in "abcd" if load_embeddings(ball_study, model, name) is not None] == ["a", "d"]
    assert prune(ball_study, limit_bytes=0, keep=[folders["d"].path]) == size_bytes(ball_study) > 0
    assert prune(ball_study, limit_bytes=0) == 0
    assert not list(embeddings_folder(ball_study).iterdir())


def test_a_case_cannot_be_named_out_of_the_cache(ball_study, model):
    evil = ball_study.case("a").model_copy(update={"id": ".."})
    ball_study._record = ball_study._record.model_copy(update={"cases": (evil,)})
    assert CaseFolder(ball_study, model, "..").path.resolve().is_relative_to(embeddings_folder(ball_study))


@settings(deadline=None)
@given(cells=st.tuples(*[st.integers(1, 40)] * 3), voxels=st.tuples(*[st.integers(1, 200)] * 3), data=st.data())
def test_voxels_and_cells_find_each_other(cells, voxels, data):
    """Both grids span the same box: the middle of a cell lies in that cell wherever a voxel is no larger than a cell."""
    cells = tuple(min(pair) for pair in zip(cells, voxels, strict=True))
    scale = tuple(voxel / cell for voxel, cell in zip(voxels, cells, strict=True))
    one = CaseEmbeddings("a", "low", np.zeros((*cells, 1), np.float16), None, scale, voxels, np.zeros(0), np.zeros(0))
    cell = np.array([data.draw(st.integers(0, side - 1)) for side in cells])
    assert np.array_equal(one.cell_of(one.voxel_of(cell)), cell)
    voxel = np.array([data.draw(st.integers(0, side - 1)) for side in voxels])
    found = one.cell_of(voxel)
    assert ((found * scale <= voxel + 0.5 + 1e-9) & (voxel + 0.5 <= (found + 1) * scale + 1e-9)).all()
    assert np.array_equal(one.cell_of(np.stack([voxel, voxel])), np.stack([found, found]))
