"""The one exception type whose message is meant for the person in front of the screen."""


class Problem(Exception):
    """Something a person can act on. The message says what happened, what was tried and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
