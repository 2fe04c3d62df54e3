"""The refusal of a message by its protocol."""


class Unsendable(Exception):
    """A message that the protocol cannot carry; the text is for the log."""
