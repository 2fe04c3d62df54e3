"""Messages of connections between the hub's form and the plugin's.

Owns the choice of the form by protocol, JSON and ICMP. HTTP, WebSocket and MQTT
have modules of their own. Framing is the hub's; nothing here knows a byte of a
protocol.
"""

import _cordon_http
import _cordon_json
import _cordon_log as log
import _cordon_mqtt
import _cordon_websocket
from _cordon_json_object import JsonObject
from _cordon_unsendable import Unsendable

__all__ = ["Unsendable", "dump", "inbound", "outbound", "payload"]

# The conversions of Send by protocol; every other protocol takes bytes and texts.
_OUTBOUND = {
    "HTTP": _cordon_http.outbound,
    "HTTPS": _cordon_http.outbound,
    "WS": _cordon_websocket.outbound,
    "WSS": _cordon_websocket.outbound,
    "MQTT": _cordon_mqtt.outbound,
    "MQTTS": _cordon_mqtt.outbound,
}

# Protocols whose requests name the host, and those of them that go through TLS.
_HTTP = ("HTTP", "HTTPS", "WS", "WSS")
_SECURE = ("HTTPS", "WSS")

_ICMP_NAMES = {0: "echo_reply", 3: "destination_unreachable", 11: "time_exceeded"}

_BYTES_PER_LINE = 20


def inbound(data):
    """The `Data` argument of onMessage."""
    if type(data) is bytes:
        return data
    return _INBOUND[data[0]](*data[1:])


def _json(text):
    try:
        return JsonObject(text, _cordon_json.parse_object(text))
    except ValueError as failure:
        log.error("a received message is no JSON object (%s), passed on as bytes" % failure)
        return text.encode()


def _icmp(status, elapsed, headers, data):
    message = {"Status": status, "Description": _ICMP_NAMES.get(status, "unknown")}
    if elapsed is not None:
        message["ElapsedMs"] = elapsed
    if headers is not None:
        (
            source,
            destination,
            version,
            protocol,
            service,
            header_length,
            total_length,
            identification,
            header_checksum,
            time_to_live,
            kind,
            code,
            checksum,
            identifier,
            sequence,
        ) = headers
        message["IPv4"] = {
            "Source": source,
            "Destination": destination,
            "Version": version,
            "Protocol": protocol,
            "TypeOfService": service,
            "HeaderLength": header_length,
            "TotalLength": total_length,
            "Identification": identification,
            "HeaderChecksum": header_checksum,
            "TimeToLive": time_to_live,
        }
        message["ICMP"] = {
            "Type": kind,
            "Code": code,
            "Checksum": checksum,
            "Identifier": identifier,
            "SequenceNumber": sequence,
        }
    message["Data"] = data
    return message


_INBOUND = {
    "json": _json,
    "http": _cordon_http.inbound,
    "websocket": _cordon_websocket.inbound,
    "mqtt": _cordon_mqtt.inbound,
    "icmp": _icmp,
}


def outbound(protocol, message, address="", port=""):
    """The hub's form of a message of ``Send`` to this address.

    Raises `Unsendable` when nothing can be sent.
    """
    convert = _OUTBOUND.get(protocol)
    if convert is not None:
        message = convert(message)
        if protocol in _HTTP:
            _cordon_http.add_host(message, address, port, protocol in _SECURE)
        return message
    if isinstance(message, (bytes, bytearray)):
        return bytes(message)
    # A dictionary on a JSON connection goes out as its Python text (rule 114).
    return str(message).encode("utf-8", "replace")


def payload(message):
    """The bytes of a hub message for the debug log."""
    if type(message) is bytes:
        return message
    if message[0] == "json":
        return message[1].encode()
    data = message[5] if message[0] == "http" else message[-1]
    return data if type(data) is bytes else b""


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
