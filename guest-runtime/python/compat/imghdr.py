"""The kind of picture in a file, by its first bytes."""

__all__ = ["what"]


def _jpeg(h):
    return h[6:10] in (b"JFIF", b"Exif") or h[:3] == b"\xff\xd8\xff"


_KINDS = (
    ("jpeg", _jpeg),
    ("png", lambda h: h.startswith(b"\x89PNG\r\n\x1a\n")),
    ("gif", lambda h: h[:6] in (b"GIF87a", b"GIF89a")),
    ("tiff", lambda h: h[:2] in (b"MM", b"II")),
    ("rgb", lambda h: h.startswith(b"\x01\xda")),
    ("pbm", lambda h: h[:1] == b"P" and h[1:2] in b"14" and h[2:3] in b" \t\n\r"),
    ("pgm", lambda h: h[:1] == b"P" and h[1:2] in b"25" and h[2:3] in b" \t\n\r"),
    ("ppm", lambda h: h[:1] == b"P" and h[1:2] in b"36" and h[2:3] in b" \t\n\r"),
    ("bmp", lambda h: h.startswith(b"BM")),
    ("webp", lambda h: h.startswith(b"RIFF") and h[8:12] == b"WEBP"),
    ("exr", lambda h: h.startswith(b"\x76\x2f\x31\x01")),
)


def what(file, h=None):
    """The name of the kind, or ``None``. ``file`` is a path or an open file."""
    if h is None:
        if hasattr(file, "read"):
            place = file.tell()
            h = file.read(32)
            file.seek(place)
        else:
            with open(file, "rb") as opened:
                h = opened.read(32)
    h = bytes(h)
    for name, test in _KINDS:
        if len(h) > 2 and test(h):
            return name
    return None
