"""The plugin's preferences: read at the start, written when they changed.

Owns the moments of writing. The plugin changes its ``Dict`` as it likes; its content is
compared with the server's.
"""

import time

from indigo import _call, _plugin

# Seconds between two looks for changes of the plugin.
INTERVAL = 30.0

# The JSON that the server has, and when it was last looked at.
_saved = None
_looked = 0.0


def begin(preferences):
    """Notes the preferences that the server has."""
    global _saved, _looked
    _saved = _call.text(preferences)
    _looked = time.monotonic()


def current():
    """The plugin's preferences, whatever object it keeps them in."""
    preferences = getattr(_plugin.active, "pluginPrefs", None)
    return preferences if isinstance(preferences, dict) else {}


def save():
    """Writes them, changed or not."""
    global _saved, _looked
    text = _call.text(current())
    _call.command("server.savePluginPrefs", {"pluginPrefs": current()})
    _saved, _looked = text, time.monotonic()


def save_changes():
    """Writes them if they changed."""
    global _looked
    if _plugin.active is None:
        return
    _looked = time.monotonic()
    if _call.text(current()) != _saved:
        save()


def look():
    """Writes changes, at most once per `INTERVAL`."""
    if time.monotonic() - _looked >= INTERVAL:
        save_changes()
