"""Remarks on a case that anything in the dock may make: a note, and that it needs a look."""

from cvrl_napari.gui.session import Session
from cvrl_napari.gui.words import SENTENCES


def remark(session: Session, case_id: str, *, note: str | None = None, needs_look: bool | None = None) -> None:
    """Keep a remark on a case of the open study; what is None stays as it is. An error is told as a notice."""
    study = session.study
    if study is None:
        return
    try:
        study.set_remark(case_id, note=note, needs_look=needs_look)
    except SENTENCES as error:
        session.noticed.emit(str(error), "", "")
    session.case_changed.emit(case_id)
