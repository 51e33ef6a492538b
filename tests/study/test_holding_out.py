"""Cases to hold out are proposed when there are enough of them."""

from cvrl_napari.study.holding_out import cases_to_hold_out
from cvrl_napari.study.phantom import create_phantom


def test_two_cases_from_the_middle_of_the_list_are_proposed_once_six_are_complete(tmp_path):
    with create_phantom(tmp_path / "study", size=0.25) as study:
        for case in study.cases:
            study.set_held_out(case.id, False)
        labeled = [case.id for case in study.cases if case.state == "complete"]
        for case in labeled[6:]:
            study.set_state(case, "partial")
        assert cases_to_hold_out(study) == (labeled[2], labeled[4])
        assert labeled[2] not in cases_to_hold_out(study, but=labeled[2])
        study.set_state(labeled[0], "partial")
        assert cases_to_hold_out(study) == ()
        study.set_state(labeled[0], "complete")
        study.set_held_out(labeled[5], True)
        assert cases_to_hold_out(study) == ()
