"""What two models, or one before and after, see differently: the right cells, computed first, or a sentence why not."""

import numpy as np
import pytest

from cvrl_napari.engine.embed_cases import embed_cases
from cvrl_napari.engine.embedding_cache import load_embeddings
from cvrl_napari.engine.feature_colors import change_between
from cvrl_napari.gui.embeddings.model_change import LAYER as CHANGE
from cvrl_napari.gui.embeddings.model_change import NOT_YET, words
from cvrl_napari.gui.embeddings.similarity_panel import ITSELF

from .conftest import save_untrained

pytestmark = pytest.mark.gui


def test_what_another_model_sees_differently_is_colored_and_computed_first(dock, make_plan, qtbot):
    study = dock.scatter._session.study
    other = save_untrained(study, make_plan, run="2026-01-02_000000-cvrl", seed=5)
    dock.computed.state_changed.emit()
    assert [dock.similar.other.itemText(row) for row in range(2)] == ["no other model", other.parent.name]
    dock.similar.other.setCurrentIndex(1)
    dock.similar.other.activated.emit(1)
    qtbot.waitUntil(lambda: dock.change.job.is_active)
    assert dock.compute.text() == "Cancel"
    dock.compute.click()
    assert not dock.change.job.is_active
    list(embed_cases(study, other, ["c"], device="cpu", threads=1))
    dock.similar.other.activated.emit(1)
    qtbot.waitUntil(lambda: dock.overlays.get(CHANGE) is not None)
    before, after = (load_embeddings(study, one, "c") for one in (other, dock.computed.model))
    apart = before.predicted != after.predicted
    assert 0 < apart.sum() < apart.size
    shown = dock.overlays.get(CHANGE).data
    np.testing.assert_array_equal(shown[~apart], change_between(before, after)[~apart])
    assert (shown[apart] == 1).all(), "the mask of what differs is brightest"
    assert "% of the scan differently" in dock.similar.notice.text()
    ml = apart.sum() * 4 * 2 * 2 / 1000  # of cells of the models' 4 x 2 x 2 mm
    assert f"masks differ in {ml:,.1f} ml" in dock.similar.notice.text()
    dock.similar.other.activated.emit(0)
    assert dock.overlays.get(CHANGE) is None


def test_what_a_model_sees_differently_since_it_learned_more_is_colored(dock, make_plan, qtbot):
    study, before = dock.scatter._session.study, dock.computed.loaded["c"]
    row = dock.similar.other.findText(ITSELF)
    dock.similar.other.setCurrentIndex(row)
    dock.similar.other.activated.emit(row)
    assert dock.similar.notice.text() == NOT_YET
    path = save_untrained(study, make_plan, seed=1)
    list(embed_cases(study, path, ["c"], device="cpu", threads=1))
    dock.computed.look()
    qtbot.waitUntil(lambda: dock.overlays.get(CHANGE) is not None)
    after = load_embeddings(study, path, "c")
    alike = before.predicted == after.predicted
    np.testing.assert_array_equal(dock.overlays.get(CHANGE).data[alike], change_between(before, after)[alike])
    assert dock.overlays.get(CHANGE).data.max() > 0.1


def test_what_differs_in_words():
    assert "see 12.3 % of the scan" in words(12.34, 1234.56)
    assert words(12.34, 1234.56).endswith("the warmer, the more. Their masks differ in 1,234.6 ml, drawn brightest.")
    assert words(0, 0).endswith("Their masks are the same.")


def test_networks_of_other_sizes_are_not_compared_and_said_so(dock, make_plan, qtbot):
    study = dock.scatter._session.study
    other = save_untrained(study, make_plan, run="2026-01-02_000000-cvrl", width=8)
    list(embed_cases(study, other, ["c"], device="cpu", threads=1))
    with qtbot.waitSignal(dock.change.noticed, check_params_cb=lambda sentence: "voxel size or width" in sentence):
        dock.change.compare(other)
