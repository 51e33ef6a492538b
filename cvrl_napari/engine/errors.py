"""What the engine says when a job cannot be done."""


class EngineError(ValueError):
    """A job that cannot be done: what happened, and what to do about it.

    Attributes
    ----------
    message : str
        One sentence: what, and where.
    hint : str
        One sentence: what to do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint
