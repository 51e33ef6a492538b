"""What a study answers to bad input: one sentence that says what, where and what to do."""

from pathlib import Path


class StudyError(ValueError):
    """Something about a study is not as it should be; the message is one sentence for the person at the screen."""


class LockedError(StudyError):
    """Another window or process is writing to the study in `folder`."""

    def __init__(self, sentence: str, folder: Path) -> None:
        super().__init__(sentence)
        self.folder = folder
