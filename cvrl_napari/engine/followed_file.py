"""A file of lines that another process appends to: events of a run on their way to a viewer, commands on their way to a run."""

from pathlib import Path

LONGEST_LINE = 1 << 20
"""Bytes; an event is far shorter, and a damaged file must not fill the memory."""
BLOCK = 1 << 22


class FollowedFile:
    """Reads what is new in a file, whole lines only; one that is not there yet is empty."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_to = 0
        self._rest = b""

    def new_lines(self) -> list[bytes]:
        """Return the lines that have been completed since this was last called, without line breaks.

        A very long file comes in several parts: call again until nothing comes. Of a line of more than `LONGEST_LINE` only
        its end comes.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._read_to)
                block = file.read(BLOCK)
        except OSError:  # not there yet, or its disk is away for a moment
            return []
        self._read_to += len(block)
        *lines, self._rest = (self._rest + block).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        return lines
