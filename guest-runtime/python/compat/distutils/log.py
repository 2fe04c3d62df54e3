"""Messages, which go to ``logging``."""

import logging as _logging

DEBUG, INFO, WARN, ERROR, FATAL = 10, 20, 30, 40, 50

_log = _logging.getLogger("distutils")
debug, info, warn, error, fatal = _log.debug, _log.info, _log.warning, _log.error, _log.critical


def log(level, msg, *args):
    _log.log(level, msg, *args)


def set_threshold(level):
    before = _log.level
    _log.setLevel(level)
    return before
