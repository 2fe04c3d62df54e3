"""The plugin's preferences: read at the start, written when they changed.

Owns the keys that they may have and the moments of writing. The plugin changes its
``Dict`` as it likes; its content is compared with the server's.
"""

import logging
import time

from indigo import _call, _log, _plugin
from indigo._containers import Dict, text_key
from indigo._errors import LowLevelBadParameterError

# Seconds between two looks for changes of the plugin.
INTERVAL = 30.0

# Bytes of a key, as the server allows them.
_KEY = 1024

# How many of the entries that cannot be written are named.
_NAMED = 5

# The JSON that the server has, and when it was last looked at.
_saved = None
_looked = 0.0

# The line about entries that cannot be written, as it was logged last.
_told = None


def key_of_preferences(key):
    """The key as the preferences keep it, which is a tag of their file.

    Raises `TypeError` for a key that is no text, and `LowLevelBadParameterError`, which
    is a `ValueError`, for one that is no tag (object model: 20.3).
    """
    key = text_key(key)
    if (
        key.isascii()
        and (key[:1].isalpha() or key[:1] == "_")
        and key[:3].lower() != "xml"
        and key.translate(_SIGNS).isalnum()
        and len(key) <= _KEY
    ):
        return key
    raise LowLevelBadParameterError(
        "%.100r is no key for pluginPrefs, whose file has the keys as XML tags: a key holds"
        " ASCII letters, digits and _ - . and begins with a letter or _ but not with xml;"
        " keep other texts as values, or as JSON in one text" % key
    )


# The characters of a key that are neither letters nor digits.
_SIGNS = str.maketrans("_-.", "aaa")


class Preferences(Dict):
    """The ``Dict`` in ``self.pluginPrefs``: it takes no key that could not be saved."""

    __slots__ = ()

    _rule = staticmethod(key_of_preferences)


def begin(preferences):
    """Notes the preferences that the server has."""
    global _saved, _looked, _told
    _saved = _call.text(preferences)
    _looked = time.monotonic()
    _told = None


def current():
    """The plugin's preferences, whatever object it keeps them in."""
    preferences = getattr(_plugin.active, "pluginPrefs", None)
    return preferences if isinstance(preferences, dict) else {}


def merge(values):
    """Takes over the values of a dialog, whose fields may have ids that no key may have."""
    # The server leaves out what it cannot save, and says so; the rest is saved.
    dict.update(current(), values)


def save():
    """Writes them, changed or not."""
    _write(_sendable(current()))


def save_changes():
    """Writes them if they changed."""
    global _looked
    if _plugin.active is None:
        return
    _looked = time.monotonic()
    sendable = _sendable(current())
    if sendable != _saved:
        _write(sendable)


def look():
    """Writes changes, at most once per `INTERVAL`."""
    if time.monotonic() - _looked >= INTERVAL:
        save_changes()


def _write(text):
    global _saved, _looked
    _call.command("server.savePluginPrefs", {"pluginPrefs": _call.Written(text)})
    _saved, _looked = text, time.monotonic()


def _sendable(preferences):
    """The JSON of the preferences, without the entries that have none."""
    try:
        text = _call.text(preferences)
        text.encode()
        return text
    except Exception:
        pass
    kept, left = {}, []
    for key, value in list(dict.items(preferences)):
        try:
            _call.text({key: value}).encode()
            kept[key] = value
        except Exception as failure:
            left.append("%.100r (%s)" % (key, failure))
    _tell_of(left)
    return _call.text(kept)


def _tell_of(left):
    """Logs the entries that cannot be written, once as long as they are the same ones."""
    global _told
    line = "not saved with the other preferences: " + ", ".join(left[:_NAMED])
    if len(left) > _NAMED:
        line += " and %d more" % (len(left) - _NAMED)
    if line != _told:
        _told = line
        _log.note(line, logging.ERROR)
