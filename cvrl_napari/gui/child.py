"""The engine as a child process: its pipes, its priority, its end in words. No Qt in here."""

from collections.abc import Iterator, Sequence


class Child:
    """One `python -m cvrl_napari ...` with JSON lines going in and out."""

    def __init__(self, arguments: Sequence[str]) -> None:
        raise NotImplementedError

    def lines(self) -> Iterator[bytes]:
        """Yield what the child says, line by line, until it ends."""
        raise NotImplementedError
