"""What is missing before a training can start. No widgets."""

from cvrl_napari.study.study import Study

ALL_HELD_OUT = "Every painted case is held out: let one of them be learned from"


def reason_not_to_train(study: Study | None, *, has_structure: bool) -> str:
    """Say what is missing before a training can start; the empty string when nothing is.

    Parameters
    ----------
    has_structure : bool
        Whether the case on view shows a painted structure, saved or not, that may be learned from.
    """
    if study is None:
        return "Open a study first"
    if study.read_only:
        return "The study is open for reading only"
    if study.labeled_cases() or has_structure:
        return ""
    return ALL_HELD_OUT if study.held_out_cases() else "Paint at least one structure on one scan to train"
