"""What the package raises."""


class UnsupportedAlgorithm(Exception):
    """Something that this runtime cannot compute."""

    def __init__(self, message, reason=None):
        super().__init__(message)
        self._reason = reason


class AlreadyFinalized(Exception):
    """The work was finished before."""


class AlreadyUpdated(Exception):
    """Data was given before what must come first."""


class NotYetFinalized(Exception):
    """The work has to be finished before."""


class InvalidTag(Exception):
    """The data is not what its tag says."""


class InvalidSignature(Exception):
    """The signature is not that of the data."""


class InternalError(Exception):
    """Kept for who catches it."""


class InvalidKey(Exception):
    """The key is not the one that was derived."""
