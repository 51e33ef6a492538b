import pytest
import typer
from pydantic import ValidationError

from cvrl_napari.cli.sentences import JobFailed, describe_validation, one_sentence
from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import RunFailed, parse_event
from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.errors import VolumeError


def refused(**asked: object) -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        TrainRequest(**asked)  # type: ignore[arg-type]
    return raised.value


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (StudyError("The study is locked: close it."), "The study is locked: close it."),
        (VolumeError("The scan is broken: export it again."), "The scan is broken: export it again."),
        (EngineError("No labels.", "Paint one scan."), "No labels. Paint one scan."),
        (JobFailed(RunFailed(message="No labels.", hint="Paint one scan.")), "No labels. Paint one scan."),
        (refused(minutes=0), "--minutes 0: input should be greater than 0. The option --help says what is allowed."),
        (
            FileNotFoundError(2, "No such file or directory", "x.nii"),
            "No such file or directory: x.nii. Check the path, its permissions, and the space left.",
        ),
    ],
)
def test_bad_input_gives_one_sentence_and_code_2(error: Exception, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, one_sentence():
        raise error
    assert left.value.exit_code == 2
    assert capsys.readouterr() == ("", f"{sentence}\n")


def test_a_program_that_listens_gets_a_failed_event_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), one_sentence(as_json=True):
        raise EngineError("No labels.", "Paint one scan.")
    assert parse_event(capsys.readouterr().out) == RunFailed(message="No labels.", hint="Paint one scan.")


def test_a_failure_that_was_shown_is_not_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), one_sentence(as_json=True):
        raise JobFailed(RunFailed(message="No labels.", hint=""))
    assert capsys.readouterr().out == ""


def test_a_fault_of_the_program_keeps_its_traceback_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), one_sentence(as_json=True):
        1 / 0  # noqa: B018
    told = parse_event(capsys.readouterr().out)
    assert isinstance(told, RunFailed)
    assert "ZeroDivisionError: division by zero" in told.message
    assert "untouched" in told.hint


def test_several_refusals_make_one_sentence() -> None:
    words = describe_validation(refused(labeled_first=0, seed=-1))
    assert words.startswith("--seed -1: input should be")
    assert "; --labeled-first 0: input should be" in words
    assert words.endswith(".")
