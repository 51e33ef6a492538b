"""A process of a computer, written down so that others can find it again, or see that it has ended."""

import os
import socket

import psutil
from pydantic import BaseModel, ConfigDict, Field

SAME_START_S = 30.0
"""The start of a process is read from the clock, which may be set; a number is not given again so soon."""


class ProcessRecord(BaseModel):
    """One process of one computer; `started` in seconds since 1970, since numbers are given again."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int = Field(ge=1, le=2**31 - 1)
    started: float
    host: str

    @classmethod
    def of(cls, pid: int) -> "ProcessRecord":
        """Return the record of a process that runs on this computer."""
        return cls(pid=pid, started=psutil.Process(pid).create_time(), host=socket.gethostname())

    @classmethod
    def own(cls) -> "ProcessRecord":
        """Return the record of the process that asks."""
        return cls.of(os.getpid())

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, a process of this computer."""
        return self.host == socket.gethostname()

    def process(self) -> psutil.Process | None:
        """Return the process; None if it has ended, or runs on another computer."""
        if not self.is_here:
            return None
        try:
            process = psutil.Process(self.pid)
            is_it = abs(process.create_time() - self.started) < SAME_START_S and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if is_it else None
