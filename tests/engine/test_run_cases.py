"""When the cases of a run are prepared changes nothing but the time it takes."""

import pytest
import torch

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine import device
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.events import Adjusted, Event, Progress
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.run_cases import STEPS_A_SCAN, RunCases
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError

REQUEST = TrainRequest(device="cpu", steps=8, threads=1)


@pytest.fixture
def plan(ball_study: Study):
    return resolve(ball_study, REQUEST, pick("cpu"))


def truncate(study: Study, *names: str) -> None:
    for name in names:
        scan = study.folder.parent / "scans" / f"{name}.nii.gz"
        scan.write_bytes(scan.read_bytes()[:500])


def draw(cases: RunCases, step: int) -> tuple[list[str], torch.Tensor, list[Event]]:
    """Return what a step draws, its images, and what was said while that was prepared."""
    said = list(cases.prepare_step(step, with_unlabeled=True))
    return cases.loader.upcoming(), cases.loader.next().student_images, said


@pytest.mark.parametrize("unreadable", ["", "d", "a"])
def test_looking_at_a_case_changes_no_draw(ball_study, plan, unreadable):
    truncate(ball_study, *unreadable)
    unseen, seen = RunCases(ball_study, plan), RunCases(ball_study, plan)
    said = list(seen.prepare("dace", step=0))
    assert [event.why.split()[0] for event in said if isinstance(event, Adjusted)] == list(unreadable)
    for step in range(6):
        (ids, images, _), (same_ids, same_images, nothing) = draw(unseen, step), draw(seen, step)
        assert ids == same_ids
        assert torch.equal(images, same_images)
        assert not [event for event in nothing if isinstance(event, Adjusted)]  # it is named once


def test_a_resumed_run_leaves_the_same_case_out_at_the_same_step(ball_study, plan):
    truncate(ball_study, "d")
    whole = RunCases(ball_study, plan)
    wanted = [draw(whole, step)[0] for step in range(8)]
    for cut in range(4):
        first, second = RunCases(ball_study, plan), RunCases(ball_study, plan)
        before = [draw(first, step)[0] for step in range(cut)]
        second.load_state_dict(first.state_dict())
        assert before + [draw(second, step)[0] for step in range(cut, 8)] == wanted


def test_cases_are_prepared_ahead_one_in_so_many_steps(ball_study, plan):
    """The labeled cases and those held out come first, all without anybody drawing from the unlabeled ones."""
    cases = RunCases(ball_study, plan)
    done: dict[int, int] = {}
    for step in range(5 * STEPS_A_SCAN + 1):
        for event in cases.prepare_step(step, with_unlabeled=False):
            if isinstance(event, Progress):
                done[step] = event.done
    assert done == {0: 2, 3 * STEPS_A_SCAN: 3, 4 * STEPS_A_SCAN: 4, 5 * STEPS_A_SCAN: 5}
    assert [case.case_id for case in cases.prepared("abcde")] == list("abcde")


def test_labels_alone_never_read_an_unlabeled_scan(ball_study):
    cases = RunCases(ball_study, resolve(ball_study, REQUEST.model_copy(update={"method": "supervised"}), pick("cpu")))
    for step in range(8 * STEPS_A_SCAN):
        list(cases.prepare_step(step, with_unlabeled=True))
        cases.loader.next()
    assert [case.case_id for case in cases.prepared("abcde")] == ["a", "b", "e"]


def test_without_a_readable_labeled_case_there_is_its_sentence(ball_study, plan):
    truncate(ball_study, "a", "b")
    with pytest.raises(VolumeError, match=r"[ab]\.nii\.gz"):
        list(RunCases(ball_study, plan).prepare_step(0, with_unlabeled=True))


def test_scans_are_prepared_beside_the_training_in_the_order_of_their_turn(ball_study, plan):
    cases = RunCases(ball_study, plan)
    list(cases.prepare_step(0, with_unlabeled=False))
    for _ in range(20):  # without a step that needs one of them
        list(cases.prepare_step(1, with_unlabeled=False))
        for made in cases._ahead._made.values():
            made.result()
    assert {path.stem for path in ball_study.cache_folder.rglob("*.json")} == set("abcde")
    assert len(cases.prepared("abcde")) == 2  # taken in at their turn all the same
    cases.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_is_made_ahead_only_where_a_core_is_left(ball_study, plan, threads, monkeypatch):
    monkeypatch.setattr(device, "available_cores", lambda: 2)
    cases = RunCases(ball_study, plan.model_copy(update={"threads": threads, "warm_up": 0.5}))
    list(cases.prepare_step(40, with_unlabeled=True))
    cases.loader.next()
    cases.make_next_batch(with_unlabeled=True)
    assert bool(cases.loader.upcoming()) == (threads == 2)
    cases.close()
