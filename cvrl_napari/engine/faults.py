"""What can go wrong beneath a run, told apart and put into words."""

import errno

import torch

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import RunFailed
from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.errors import VolumeError

_NO_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "Unable to allocate",
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "could not create a primitive",  # oneDNN, which says no more than that
    "could not execute a primitive",
)
_NO_DEVICE = ("CUDA error", "cuDNN error", "CUBLAS_STATUS", "CUDNN_STATUS", "MPS backend", "NVML_SUCCESS")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the graphics card or of the computer; torch says the latter with a bare RuntimeError."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):  # a file that cannot be mapped for want of memory
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def is_device_lost(error: BaseException) -> bool:
    """Whether the graphics card or its driver no longer answers; nothing can be read from it then."""
    return isinstance(error, RuntimeError) and not is_out_of_memory(error) and any(w in str(error) for w in _NO_DEVICE)


def explain(error: Exception) -> RunFailed | None:
    """Put a foreseen failure of a run into words; None for a bug, which should be seen as one."""
    match error:
        case EngineError():
            return RunFailed(message=error.message, hint=error.hint)
        case StudyError() | VolumeError():
            return RunFailed(message=str(error), hint="Everything painted is safe. Mend this, then train again.")
        case OSError() if not is_out_of_memory(error):
            where = f" ({error.filename})" if error.filename else ""
            return RunFailed(
                message=f"The run could not write or read a file: {error.strerror}{where}.",
                hint="Free some space or check the folder's permissions, then train again.",
            )
    if is_out_of_memory(error):
        return RunFailed(
            message="There is not enough memory for this training.",
            hint="Choose the preset 'quick', or close other programs, then train again.",
        )
    if is_device_lost(error):
        return RunFailed(
            message="The graphics card or its driver stopped answering.",
            hint="Go on from the last checkpoint; if it comes again, start the computer anew or train on the 'cpu'.",
        )
    return None
