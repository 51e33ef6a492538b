"""The health panel draws what the run has told, beside another run, and says it in words."""

from pathlib import Path

import numpy as np
import pytest

from cvrl_napari.engine.events import Diagnosed, LevelDiagnosis
from cvrl_napari.engine.run_folder import RunFolder

pytestmark = pytest.mark.gui


def diagnosed(step: int, rank: float) -> Diagnosed:
    level = LevelDiagnosis(effective_rank=rank, spread=0.1, cross_correlation=0.2, alignment=0.3, uniformity=-2.0)
    return Diagnosed(step=step, levels={"low": level, "high": level}, confident=0.5)


def write_run(folder: Path, plan, ranks: list[float]) -> RunFolder:
    run = RunFolder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run.config.write_text(plan.model_dump_json())
    for number, rank in enumerate(ranks):
        run.record(diagnosed(10 * (number + 1), rank))
    return run


@pytest.fixture
def run(model: Path, make_plan) -> RunFolder:
    """The run of the model, with three diagnoses and the correlation of the last."""
    made = write_run(model.parent, make_plan(), [2.0, 3.0, 3.5])
    made.correlation("low").parent.mkdir()
    np.save(made.correlation("low"), np.eye(4, dtype=np.float32))
    return made


def look(dock, qtbot) -> None:
    dock.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: dock.health_panel.map is not None and bool(dock.health_panel.sentence.text()))


def drawn(dock, name: str) -> list[tuple[list[float], list[float]]]:
    return [tuple(axis.tolist() for axis in one.getData()) for one in dock.health_panel.plots[name].listDataItems()]


def test_curves_sentence_and_correlation_are_those_of_the_run(run: RunFolder, dock, qtbot):
    look(dock, qtbot)
    assert drawn(dock, "effective_rank") == [([10, 20, 30], [2.0, 3.0, 3.5])]
    assert drawn(dock, "uniformity") == [([10, 20, 30], [-2.0] * 3)]
    assert "effective rank" in dock.health_panel.sentence.text()
    np.testing.assert_array_equal(dock.health_panel.map.image, np.eye(4))


def test_another_run_is_drawn_beside(run: RunFolder, dock, make_plan, qtbot):
    other = write_run(run.path.with_name("2026-01-02_000000-supervised"), make_plan(method="supervised"), [1.5])
    look(dock, qtbot)
    dock.computed.state_changed.emit()
    assert [dock.health_panel.other.itemText(row) for row in range(2)] == ["nothing", other.path.name]
    with qtbot.waitSignal(dock.health.changed):
        dock.health_panel.other.setCurrentIndex(1)
        dock.health_panel.other.activated.emit(1)
    assert drawn(dock, "effective_rank") == [([10], [1.5]), ([10, 20, 30], [2.0, 3.0, 3.5])]


def compare(dock, row: int, qtbot) -> str:
    with qtbot.waitSignal(dock.health.changed):
        dock.health_panel.other.setCurrentIndex(row)
        dock.health_panel.other.activated.emit(row)
    return dock.health_panel.sentence.text()


def test_runs_that_were_measured_in_different_spaces_are_said_to_be(run: RunFolder, dock, make_plan, qtbot):
    """The default run has a projector at both levels, a mean teacher none; another seed changes nothing."""
    write_run(run.path.with_name("2026-01-02_000000-mean_teacher"), make_plan(method="mean_teacher"), [1.5])
    write_run(run.path.with_name("2026-01-03_000000-cvrl"), make_plan(seed=1), [2.5])
    look(dock, qtbot)
    dock.computed.state_changed.emit()
    alone = dock.health_panel.sentence.text()
    assert compare(dock, 1, qtbot) == alone
    told = compare(dock, 2, qtbot)
    assert told.startswith(
        f"{alone} This run was measured where the contrast works, behind its projector, and the other has none"
    )
    assert "different spaces" in told
    assert compare(dock, 0, qtbot) == alone


def test_a_new_diagnosis_of_the_run_is_drawn(run: RunFolder, dock, main_dock, qtbot):
    look(dock, qtbot)
    run.record(diagnosed(40, 3.9))
    with qtbot.waitSignal(dock.health.changed):
        main_dock.session.training.event_received.emit(diagnosed(40, 3.9))
    assert drawn(dock, "effective_rank")[0][1][-1] == 3.9


def test_a_run_that_cannot_be_read_is_answered_with_a_sentence(model: Path, dock, qtbot):
    look(dock, qtbot)
    assert dock.health_panel.sentence.text().endswith(".")
    assert drawn(dock, "spread") == []


def test_no_plot_is_made_before_somebody_looks(dock, qtbot):
    assert dock.health_panel.plots == {}
    look(dock, qtbot)
    assert list(dock.health_panel.plots) == ["effective_rank", "spread", "alignment", "uniformity"]
