import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from cvrl_napari.cli.audience import Bars, JsonLines, PlainLines, describe, listen
from cvrl_napari.cli.sentences import JobFailed
from cvrl_napari.engine.events import (
    Adjusted,
    Event,
    PredictionSaved,
    Progress,
    RunDone,
    RunFailed,
    StepDone,
    Validated,
    parse_event,
)

DONE = RunDone(run="runs/1", model="runs/1/model.safetensors", step=200, stopped=False, seconds=3.0)


def steps(total: int) -> Iterator[Event]:
    for step in range(1, total + 1):
        yield StepDone(step=step, total=total, losses={"total": 1 / step})
    yield DONE


def test_json_lines_are_the_events_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    def chatty() -> Iterator[Event]:
        print("a library says hello")
        yield from steps(3)

    assert listen(chatty(), JsonLines()) == DONE
    written = capsys.readouterr()
    assert [parse_event(line) for line in written.out.splitlines()] == list(steps(3))
    assert "hello" in written.err


def test_a_log_gets_progress_once_a_percent(capsys: pytest.CaptureFixture[str]) -> None:
    listen(steps(1000), PlainLines({}))
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if line.startswith("step ")]) == 101
    assert lines[-2].startswith("step 1000/1000  total 0.0010")
    assert lines[-1] == "Done after 200 steps and 3 s"


def test_a_log_is_not_flooded_by_scans_prepared_beside_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    def both() -> Iterator[Event]:
        for step in steps(1000):
            yield step
            yield Progress(what="Preparing scans", done=1, total=2)

    listen(both(), PlainLines({}))
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if line.startswith("step ")]) == 101
    assert lines.count("Preparing scans: 1/2") == 1


def test_a_terminal_gets_bars_and_messages_above_them() -> None:
    screen = io.StringIO()
    events = [Progress(what="Preparing scans", done=1, total=2), *steps(4), Adjusted(why="Slower, but it fits.", step=2)]
    bars = Bars(Console(file=screen, force_terminal=True, width=120), {})
    listen((event for event in events), bars)
    shown = screen.getvalue()
    assert "Preparing scans" in shown
    assert "4/4" in shown
    assert "Slower, but it fits." in shown


def test_a_failed_job_is_closed_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    closed = []

    def failing() -> Iterator[Event]:
        try:
            yield RunFailed(message="No labels were found.", hint="Paint one scan.")
            yield DONE
        finally:
            closed.append(True)

    with pytest.raises(JobFailed, match=r"^No labels were found\. Paint one scan\.$"):
        listen(failing(), PlainLines({}))
    assert closed


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Validated(step=5, dice={1: 0.5, 2: 0.25}, cases=3), "step 5: Dice on 3 held-out cases: atrium 0.500, class 2 0.250"),
        (PredictionSaved(scan="a.nii", path="out/a.nii.gz", volumes_ml={1: 41.23}), "a.nii -> out/a.nii.gz: atrium 41.2 ml"),
    ],
)
def test_events_are_put_into_words_with_class_names(event: Event, words: str) -> None:
    assert describe(event, {1: "atrium"}) == words
