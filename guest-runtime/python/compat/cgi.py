"""Forms that a browser sends, as the standard library had until Python 3.13."""

import email.parser
import io
import os
import sys
import urllib.parse
from email.message import Message

__all__ = [
    "FieldStorage",
    "MiniFieldStorage",
    "parse",
    "parse_header",
    "parse_multipart",
    "print_environ",
]

maxlen = 0


def parse_header(line):
    """The value of a header and its parameters, with quotes taken off."""
    message = Message()
    message["content-type"] = line
    parts = message.get_params(header="content-type", unquote=True) or [(line, "")]
    return parts[0][0], {name.lower(): value for name, value in parts[1:]}


def parse(fp=None, environ=os.environ, keep_blank_values=0, strict_parsing=0, separator="&"):
    """The fields of a request as a dictionary of lists."""
    form = FieldStorage(
        fp,
        environ=environ,
        keep_blank_values=keep_blank_values,
        strict_parsing=strict_parsing,
        separator=separator,
    )
    return {name: form.getlist(name) for name in form}


def parse_multipart(fp, pdict, encoding="utf-8", errors="replace", separator="&"):
    boundary = pdict["boundary"]
    if isinstance(boundary, bytes):
        boundary = boundary.decode("ascii")
    fields = {}
    for field in _parts(fp.read(), boundary, encoding, errors):
        fields.setdefault(field.name, []).append(field.value)
    return fields


class MiniFieldStorage:
    """A field that is only a name and a value."""

    filename = None
    list = None
    type = None
    file = None
    type_options = {}
    disposition = None
    disposition_options = {}
    headers = {}

    def __init__(self, name, value):
        self.name = name
        self.value = value

    def __repr__(self):
        return "MiniFieldStorage(%r, %r)" % (self.name, self.value)


class _Part(MiniFieldStorage):
    """A field of a multipart form, which may be a file."""

    def __init__(self, name, value, filename, kind, options):
        super().__init__(name, value)
        self.filename = filename
        self.type = kind
        self.disposition = "form-data"
        self.disposition_options = options
        self.file = io.BytesIO(value) if isinstance(value, bytes) else io.StringIO(value)


def _parts(body, boundary, encoding, errors):
    head = b"Content-Type: multipart/form-data; boundary=\"%s\"\r\n\r\n" % boundary.encode()
    message = email.parser.BytesParser().parsebytes(head + body)
    if not message.is_multipart():
        raise ValueError("the body is no multipart form with boundary %r" % boundary)
    for part in message.get_payload():
        disposition, options = parse_header(part.get("content-disposition", ""))
        value = part.get_payload(decode=True) or b""
        filename = options.get("filename")
        if filename is None:
            value = value.decode(encoding, errors)
        yield _Part(options.get("name"), value, filename, part.get_content_type(), options)


class FieldStorage:
    """The fields of a request: its query and its body."""

    def __init__(
        self,
        fp=None,
        headers=None,
        outerboundary=b"",
        environ=os.environ,
        keep_blank_values=0,
        strict_parsing=0,
        limit=None,
        encoding="utf-8",
        errors="replace",
        max_num_fields=None,
        separator="&",
    ):
        method = environ.get("REQUEST_METHOD", "GET").upper()
        if headers is None:
            headers = {
                "content-type": environ.get(
                    "CONTENT_TYPE", "application/x-www-form-urlencoded" if method == "POST" else ""
                )
            }
            if "CONTENT_LENGTH" in environ:
                headers["content-length"] = environ["CONTENT_LENGTH"]
        self.headers = headers
        self.type, self.type_options = parse_header(headers.get("content-type") or "text/plain")
        self.length = int(headers.get("content-length") or -1)
        self.name = self.filename = self.value = None
        self.list = []
        query = environ.get("QUERY_STRING", "")
        options = dict(
            keep_blank_values=bool(keep_blank_values),
            strict_parsing=bool(strict_parsing),
            encoding=encoding,
            errors=errors,
            max_num_fields=max_num_fields,
            separator=separator,
        )
        if method in ("GET", "HEAD"):
            self._add(query, options)
            return
        if fp is None:
            fp = sys.stdin.buffer
        body = fp.read(self.length) if self.length >= 0 else fp.read()
        if self.type == "application/x-www-form-urlencoded":
            self._add(body.decode(encoding, errors), options)
        elif self.type.startswith("multipart/"):
            boundary = self.type_options.get("boundary", "")
            self.list.extend(_parts(body, boundary, encoding, errors))
        else:
            self.value, self.file, self.list = body, io.BytesIO(body), None
        if query and self.list is not None:
            self._add(query, options)

    def _add(self, text, options):
        if text:
            pairs = urllib.parse.parse_qsl(text, **options)
            self.list.extend(MiniFieldStorage(name, value) for name, value in pairs)

    def _fields(self):
        if self.list is None:
            raise TypeError("not indexable")
        return self.list

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        return None

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self.keys())

    def __bool__(self):
        return bool(self._fields())

    def __contains__(self, key):
        return any(field.name == key for field in self._fields())

    def __getitem__(self, key):
        found = [field for field in self._fields() if field.name == key]
        if not found:
            raise KeyError(key)
        return found[0] if len(found) == 1 else found

    def keys(self):
        return list(dict.fromkeys(field.name for field in self._fields()))

    def getvalue(self, key, default=None):
        values = self.getlist(key)
        if not values:
            return default
        return values[0] if len(values) == 1 else values

    def getfirst(self, key, default=None):
        return next(iter(self.getlist(key)), default)

    def getlist(self, key):
        return [field.value for field in self._fields() if field.name == key]


def print_environ(environ=os.environ):
    for name in sorted(environ):
        print(name, environ[name])
