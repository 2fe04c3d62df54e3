"""Dictionaries of HTTP (spec 7.5 and 7.6) between the plugin's form and the hub's."""

import _cordon_log as log
from _cordon_unsendable import Unsendable


def inbound(verb, url, status, headers, data):
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


def outbound(message):
    """The hub's form of a request, a response or a chunk."""
    if type(message) is not dict:
        raise Unsendable("HTTP takes a dictionary, not %s" % type(message).__name__)
    verb = status = None
    if "Verb" in message:
        verb = _mandatory_text(message, "Verb")
    elif "Status" in message:
        status = _mandatory_text(message, "Status")
    elif "Chunk" not in message:
        raise Unsendable("an HTTP message needs 'Verb', 'Status' or 'Chunk'")
    url = message.get("URL")
    data = body(message["Data"]) if "Data" in message else None
    return (
        "http",
        verb,
        _plain(url) if isinstance(url, str) else None,
        status,
        _headers(message.get("Headers", {})),
        data,
        "Chunk" in message,
    )


def add_host(message, address, port, secure):
    """Names the host in a request that does not (rule 199).

    ``message`` is the hub's form, of which only requests of HTTP are looked at.
    """
    kind, verb, *_ = message
    if kind != "http" or verb is None or not address:
        return
    headers = message[4]
    if any(name == "Host" for name, _ in headers):
        return
    host = "[%s]" % address if ":" in address else address
    if port and port != ("443" if secure else "80"):
        host += ":" + port
    headers.insert(0, ("Host", [body(host)]))


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
        (_plain(name), _lines(value)) for name, value in headers.items() if isinstance(name, str)
    ]


def _lines(value):
    items = value if isinstance(value, list) else (value,)
    return [body(item) for item in items if isinstance(item, (str, bytes, bytearray))]


def body(value):
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    # Other types carry nothing, but the key is there (spec 7.6 step 7).
    return bytes(value) if isinstance(value, (bytes, bytearray)) else b""
