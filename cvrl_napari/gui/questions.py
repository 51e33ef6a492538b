"""Questions before something that is not easily taken back: a verb agrees; Cancel is what Enter and Escape mean."""

from qtpy.QtWidgets import QMessageBox, QWidget


def agreed(parent: QWidget | None, title: str, question: str, verb: str, *, more: str = "", grave: bool = False) -> bool:
    """Ask, and say whether the person agreed.

    Parameters
    ----------
    question, more : str
        What is asked, and what it would do, in a smaller type.
    verb : str
        What the button says that agrees, "Delete the class".
    grave : bool
        Something of the person's is lost, not only put away.
    """
    box = QMessageBox(QMessageBox.Icon.Warning if grave else QMessageBox.Icon.Question, title, question, parent=parent)
    box.setInformativeText(more)
    role = QMessageBox.ButtonRole.DestructiveRole if grave else QMessageBox.ButtonRole.AcceptRole
    agree, cancel = box.addButton(verb, role), box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    box.exec()
    is_agreed = box.clickedButton() is agree
    box.deleteLater()
    return is_agreed
