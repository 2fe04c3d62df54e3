"""``syslog`` that writes to the plugin's log."""

LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR = 0, 1, 2, 3
LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG = 4, 5, 6, 7

LOG_KERN, LOG_USER, LOG_MAIL, LOG_DAEMON = 0, 8, 16, 24
LOG_AUTH, LOG_SYSLOG, LOG_LPR, LOG_NEWS = 32, 40, 48, 56
LOG_UUCP, LOG_CRON, LOG_AUTHPRIV = 64, 72, 80
LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3 = 128, 136, 144, 152
LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7 = 160, 168, 176, 184

LOG_PID, LOG_CONS, LOG_ODELAY, LOG_NDELAY, LOG_NOWAIT, LOG_PERROR = 1, 2, 4, 8, 16, 32

# Levels and origin of the plugin's log.
_NORMAL, _ERROR, _DEBUG, _HARDWARE = 0, 2, 3, 0

_ident = ""
_mask = 0xFF


def openlog(ident="", logoption=0, facility=LOG_USER):
    global _ident
    _ident = ident


def closelog():
    global _ident, _mask
    _ident, _mask = "", 0xFF


def syslog(priority, message=None):
    import _cordon

    if message is None:
        priority, message = LOG_INFO, priority
    severity = priority & 7
    if not _mask & LOG_MASK(severity):
        return
    level = _ERROR if severity <= LOG_ERR else _DEBUG if severity == LOG_DEBUG else _NORMAL
    _cordon.log(level, _HARDWARE, "%s: %s" % (_ident, message) if _ident else str(message))


def setlogmask(mask):
    global _mask
    before, _mask = _mask, mask or _mask
    return before


def LOG_MASK(priority):
    return 1 << priority


def LOG_UPTO(priority):
    return (1 << (priority + 1)) - 1
