"""The two ways of a plugin's log: the event log of the server and the plugin's file.

Owns the handlers, their formats and levels, and level THREADDEBUG. The server decides
which lines are shown to whom.
"""

import logging
import logging.handlers
import os
import sys
import warnings

import _cordon

from indigo import _plugin

THREADDEBUG = 5

# How many days of the plugin's file are kept.
BACKUPS = 20

_FORMAT = "%(asctime)s.%(msecs)03d\t%(levelname)s\t%(name)s.%(funcName)s:\t%(message)s"
_DATE_FORMAT = "%Y-%m-%d %H:%M:%S"

# Levels of the plugin's log as the hub numbers them.
_NORMAL, _ERROR = 0, 2


class _PluginHandler(logging.Handler):
    """The part that the handlers of both ways have."""

    def setLevel(self, level):
        """Sets the level, and has the logger let such records pass.

        Plugins set the levels of their handlers alone, and their logger is at DEBUG.
        """
        logging.Handler.setLevel(self, level)
        logger = logging.getLogger("Plugin")
        if self in logger.handlers and self.level < logger.level == logging.DEBUG:
            logger.setLevel(max(self.level, 1))

    def handleError(self, record):
        """Tells of a record that has no text; any other failure is the handler's own."""
        try:
            self.format(record)
        except Exception as failure:
            if not hasattr(record, "_told"):
                record._told = True
                note(_without_text(record, failure), logging.ERROR)
        else:
            self.failed(record, sys.exc_info()[1])

    def failed(self, record, failure):
        """Nothing: the event log takes every text."""


def _without_text(record, failure):
    """The line about a log call whose arguments do not fit its placeholders."""
    try:
        call = "%.200r with %.200r" % (record.msg, record.args)
    except Exception:
        call = "its message"
    return "the log call in %s of %s, line %d, cannot be written: %s: %s: %s" % (
        record.funcName,
        record.filename,
        record.lineno,
        call,
        type(failure).__name__,
        failure,
    )


class IndigoLogHandler(_PluginHandler):
    """Writes records into the event log, under a title of its own."""

    def __init__(self, displayName=None, level=logging.NOTSET):
        logging.Handler.__init__(self, level)
        self.displayName = displayName

    def emit(self, record):
        try:
            text = self.format(record)
            name = self.displayName or _plugin.facts.get("pluginDisplayName", "")
            write(text, name + suffix(record.levelno), record.levelno)
        except Exception:
            self.handleError(record)


def suffix(level):
    """The end of a line's title."""
    if level >= logging.ERROR:
        return " Error"
    if level >= logging.WARNING:
        return " Warning"
    return " Debug" if level < logging.INFO else ""


def write(text, title, level):
    """Writes a line into the event log; never raises."""
    from indigo import _call

    is_error = level >= logging.ERROR
    try:
        _call.command(
            "server.log",
            {
                "message": text,
                "type": title,
                "level": int(level),
                "isError": is_error,
            },
        )
    except Exception:
        # The log of the instance takes the lines that the server's does not.
        _cordon.log(_ERROR if is_error else _NORMAL, 0, text)


def note(text, level=logging.INFO):
    """A line of the runtime itself, under the plugin's name."""
    write(text, _plugin.facts.get("pluginDisplayName", "") + suffix(level), level)


class PluginFileHandler(_PluginHandler, logging.handlers.TimedRotatingFileHandler):
    """The plugin's file: a new one each midnight.

    A file that cannot be written, because the plugin's room is used up, is told once
    and then left alone: the event log still has the lines.
    """

    _told = False

    def failed(self, record, failure):
        if not self._told:
            self._told = True
            note("the plugin's log file cannot be written: %s" % failure, logging.WARNING)


def install():
    """Level THREADDEBUG and its method, and the place of Python's warnings; once, at the
    start of an Indigo plugin."""
    logging.addLevelName(THREADDEBUG, "THREADDEBUG")
    logging.THREADDEBUG = THREADDEBUG
    logging.Logger.threaddebug = _threaddebug
    warnings.showwarning = _show_warning


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """A warning of Python's, which is a warning in the log."""
    text = warnings.formatwarning(message, category, filename, lineno, line).rstrip()
    if file is not None:
        file.write(text + "\n")
    else:
        note(text, logging.WARNING)


def _threaddebug(self, message, *args, **kwargs):
    if self.isEnabledFor(THREADDEBUG):
        # One frame further: the line is that of who called this.
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        self._log(THREADDEBUG, message, args, **kwargs)


def plugin_logger():
    """The logger named "Plugin" with both handlers, as it is at the start."""
    logger = logging.getLogger("Plugin")
    logger.setLevel(logging.DEBUG)
    event_log = IndigoLogHandler(None, logging.INFO)
    event_log.setFormatter(logging.Formatter("%(message)s"))
    file = file_handler()
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.addHandler(event_log)
    if file is not None:
        logger.addHandler(file)
    return logger, event_log, file


def file_handler():
    """The handler of the plugin's file, which is made by the first line."""
    folder = os.path.join(_plugin.facts.get("logFolder", ""), _plugin.facts.get("pluginId", ""))
    try:
        os.makedirs(folder, exist_ok=True)
        handler = PluginFileHandler(
            os.path.join(folder, "plugin.log"),
            when="midnight",
            backupCount=BACKUPS,
            encoding="utf-8",
            delay=True,
        )
    except OSError as failure:
        note("there is no log file: %s" % failure, logging.WARNING)
        # Plugins set levels and formats of it.
        handler = logging.NullHandler()
    handler.setLevel(logging.DEBUG)
    handler.setFormatter(logging.Formatter(_FORMAT, _DATE_FORMAT))
    return handler
