"""What a person reads when a job cannot be done: one sentence on stderr and an exit code, never a traceback for bad input."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError

from cvrl_napari.engine.events import RunFailed

BAD_INPUT = 2
FAULT = 1
FAULT_HINT = "The study and its labels are untouched. Please report this, with the lines above it."


class JobFailed(Exception):
    """A run ended with `RunFailed`; whoever listens has been shown the event already."""

    def __init__(self, event: RunFailed) -> None:
        super().__init__(f"{event.message} {event.hint}".strip())


@contextmanager
def one_sentence(*, as_json: bool = False) -> Iterator[None]:
    """Answer the errors of the block as the `cvrl` command promises.

    Bad input (the program's own errors, a setting out of range, a run that failed) gives its sentence on stderr and exit
    code 2. Anything else is a fault of the program: it keeps its traceback and gives exit code 1. With `as_json` both are
    also said as a `failed` event on standard output, so that a program which listens learns why the run ended.

    Raises
    ------
    typer.Exit
        In place of the errors of bad input.
    """
    try:
        yield
    except typer.Exit:
        raise
    except JobFailed as failure:
        _leave(str(failure))
    except BrokenPipeError:
        # Whoever listened is gone: give the interpreter somewhere to flush to, or it complains on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        raise typer.Exit(FAULT) from None
    except ValidationError as error:
        refusal = RunFailed(message=describe_validation(error), hint="The option --help says what is allowed.")
        _tell(refusal, as_json)
        _leave(f"{refusal.message} {refusal.hint}")
    except Exception as error:
        foreseen = _as_failure(error)
        if foreseen is None:
            _tell(RunFailed(message=f"The program failed: {type(error).__name__}: {error}.", hint=FAULT_HINT), as_json)
            raise
        _tell(foreseen, as_json)
        _leave(f"{foreseen.message} {foreseen.hint}".strip())


def describe_validation(error: ValidationError) -> str:
    """Name the options that pydantic refused, and why, in one sentence."""
    reasons = []
    for fault in error.errors(include_url=False):
        option = "-".join(str(part) for part in fault["loc"]).replace("_", "-")
        reasons.append(f"--{option} {fault['input']}: {fault['msg'][:1].lower()}{fault['msg'][1:]}")
    return "; ".join(reasons) + "."


def _as_failure(error: Exception) -> RunFailed | None:
    """Return the event for an error whose message is a sentence for a person, None for a fault of the program."""
    from cvrl_napari.engine.errors import EngineError
    from cvrl_napari.study.errors import StudyError
    from cvrl_napari.volumes.errors import VolumeError

    match error:
        case EngineError(message=message, hint=hint):
            return RunFailed(message=message, hint=hint)
        case StudyError() | VolumeError():
            return RunFailed(message=str(error), hint="")
        case OSError(strerror=str(reason), filename=str(path)):
            return RunFailed(message=f"{reason}: {path}.", hint="Check the path, its permissions, and the space left.")
    return None


def _tell(event: RunFailed, as_json: bool) -> None:
    if as_json:
        print(event.line(), flush=True)


def _leave(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(BAD_INPUT)
