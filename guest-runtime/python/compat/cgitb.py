"""Tracebacks with more detail, as text or HTML."""

import html as _html
import sys
import traceback

__all__ = ["Hook", "enable", "handler", "html", "reset", "text"]


def reset():
    return ""


def text(einfo, context=5):
    """The traceback with the local variables of each frame."""
    kind, value, trace = einfo
    lines = ["%s: %s" % (getattr(kind, "__name__", kind), value), ""]
    for frame, number in traceback.walk_tb(trace):
        code = frame.f_code
        lines.append("%s in %s, line %d" % (code.co_filename, code.co_name, number))
        for name, local in frame.f_locals.items():
            try:
                shown = repr(local)
            except Exception as failure:
                shown = "<%s in repr>" % type(failure).__name__
            lines.append("    %s = %s" % (name, shown[:200]))
    lines.append("")
    lines.extend("".join(traceback.format_exception(kind, value, trace)).splitlines())
    return "\n".join(lines) + "\n"


def html(einfo, context=5):
    return "<pre>%s</pre>\n" % _html.escape(text(einfo, context))


class Hook:
    """Shows exceptions; can stand for ``sys.excepthook``."""

    def __init__(self, display=1, logdir=None, context=5, file=None, format="html"):
        self.display = display
        self.logdir = logdir
        self.context = context
        self.file = file
        self.format = format

    def __call__(self, etype, evalue, etb):
        self.handle((etype, evalue, etb))

    def handle(self, info=None):
        info = info or sys.exc_info()
        form = html if self.format == "html" else text
        shown = form(info, self.context)
        if self.display:
            (self.file or sys.stdout).write(shown)
        if self.logdir is not None:
            import tempfile

            suffix = ".html" if self.format == "html" else ".txt"
            with tempfile.NamedTemporaryFile(
                "w", suffix=suffix, dir=self.logdir, delete=False
            ) as file:
                file.write(shown)


handler = Hook().handle


def enable(display=1, logdir=None, context=5, format="html"):
    sys.excepthook = Hook(display, logdir, context, format=format)
