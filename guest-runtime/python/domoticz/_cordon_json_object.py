"""The dictionary of a message in protocol JSON.

Protocol JSON delivered bytes before it delivered dictionaries. Plugins of that time, an official
example among them, decode their messages themselves.
"""


class JsonObject(dict):
    """A dictionary that can also be decoded, which gives the text that it was made of."""

    __slots__ = ("_text",)

    def __init__(self, text, items):
        super().__init__(items)
        self._text = text

    def decode(self, encoding="utf-8", errors="strict"):
        """The text of the message."""
        return self._text
