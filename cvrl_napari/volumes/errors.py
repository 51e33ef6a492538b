"""What goes wrong with a scan or a mask on disk."""


class VolumeError(ValueError):
    """A file cannot be read or written; the message is one sentence: what, where, what to do."""
