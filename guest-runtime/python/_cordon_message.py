"""Messages of connections between the hub's form and the plugin's.

Owns the dictionaries of HTTP (spec 7.5 and 7.6) and what ``Send`` takes for the
other protocols. Framing is the hub's; nothing here knows a byte of a protocol.
"""

import _cordon_json
import _cordon_log as log

_HTTP = ("HTTP", "HTTPS")

# Protocols whose dictionaries the hub of this release cannot encode.
_LATER = ("WS", "WSS", "MQTT", "MQTTS")

_BYTES_PER_LINE = 20


class Unsendable(Exception):
    """A message that the protocol cannot carry; the text is for the log."""


def inbound(data):
    """The `Data` argument of onMessage."""
    if type(data) is bytes:
        return data
    if data[0] == "json":
        return _json(data[1])
    return _http(*data[1:])


def _json(text):
    try:
        return _cordon_json.parse_object(text)
    except ValueError as failure:
        log.error("a received message is no JSON object (%s), passed on as bytes" % failure)
        return text.encode()


def _http(verb, url, status, headers, data):
    if status is None:
        message = {"Verb": verb or "", "URL": url or ""}
    else:
        message = {"Status": status}
    # A repeated header is a list, which the plugin has to expect (rule 119).
    message["Headers"] = {
        name: values[0] if len(values) == 1 else list(values) for name, values in headers
    }
    if data is not None:
        message["Data"] = data
    return message


def outbound(protocol, message):
    """What the hub is given for a message of ``Send``.

    Raises `Unsendable` when nothing can be sent.
    """
    if protocol in _HTTP:
        return _http_request(message)
    if protocol in _LATER:
        raise Unsendable("protocol '%s' is not available in this release" % protocol)
    if isinstance(message, (bytes, bytearray)):
        return bytes(message)
    # A dictionary on a JSON connection goes out as its Python text (rule 114).
    return str(message).encode("utf-8", "replace")


def _http_request(message):
    if type(message) is not dict:
        raise Unsendable(
            "HTTP takes a dictionary, not %s" % type(message).__name__
        )
    verb = status = None
    if "Verb" in message:
        verb = _mandatory_text(message, "Verb")
    elif "Status" in message:
        status = _mandatory_text(message, "Status")
    elif "Chunk" not in message:
        raise Unsendable("an HTTP message needs 'Verb', 'Status' or 'Chunk'")
    url = message.get("URL")
    data = _body(message["Data"]) if "Data" in message else None
    return (
        verb,
        _plain(url) if isinstance(url, str) else None,
        status,
        _headers(message.get("Headers", {})),
        data,
        "Chunk" in message,
    )


def _mandatory_text(message, key):
    value = message[key]
    if not isinstance(value, str):
        raise Unsendable("'%s' of an HTTP message must be str" % key)
    return _plain(value)


def _plain(text):
    return text.encode("utf-8", "replace").decode()


def _headers(headers):
    if not isinstance(headers, dict):
        log.core_error("'Headers' of an HTTP message is no dictionary and was left out")
        return []
    # A name whose value is skipped stays, without a line: its presence decides
    # whether the hub adds a header of its own (spec 7.6).
    return [
        (_plain(name), _lines(value))
        for name, value in headers.items()
        if isinstance(name, str)
    ]


def _lines(value):
    items = value if isinstance(value, list) else (value,)
    return [_body(item) for item in items if isinstance(item, (str, bytes, bytearray))]


def _body(value):
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    # Other types carry nothing, but the key is there (spec 7.6 step 7).
    return bytes(value) if isinstance(value, (bytes, bytearray)) else b""


def payload(message):
    """The bytes of a hub message for the debug log."""
    if type(message) is bytes:
        return message
    if message[0] == "json":
        return message[1].encode()
    # Data is last in a received tuple and last but one in a sent one.
    data = message[5] if message[0] == "http" else message[4]
    return data or b""


def dump(data):
    """Lines of twenty bytes, in hexadecimal and as characters (spec section 9)."""
    lines = []
    for start in range(0, len(data), _BYTES_PER_LINE):
        piece = data[start : start + _BYTES_PER_LINE]
        figures = ["%02x" % byte for byte in piece]
        figures += [".."] * (_BYTES_PER_LINE - len(piece))
        # Bytes above 126 have no character of their own and get the dot too.
        shown = "".join(chr(byte) if 32 < byte < 127 else "." for byte in piece)
        lines.append(" ".join(figures) + "    " + shown)
    return lines
