"""Dictionaries of MQTT (spec 7.8) between the plugin's form and the hub's.

Nothing is automatic: a plugin connects, pings and acknowledges by itself. The hub adds
the user name and password of a CONNECT.
"""

import _cordon_log as log
from _cordon_arguments import number, plain
from _cordon_unsendable import Unsendable

# Seconds that every CONNECT announces.
_KEEP_ALIVE = 60

_CONNACK = (
    "Connection Accepted",
    "Connection Refused, unacceptable protocol version",
    "Connection Refused, identifier rejected",
    "Connection Refused, Server unavailable",
    "Connection Refused, bad user name or password",
    "Connection Refused, not authorized",
)

_SUBACK = {
    0: "Success - Maximum QoS 0",
    1: "Success - Maximum QoS 1",
    2: "Success - Maximum QoS 2",
    128: "Failure",
}

_UNKNOWN = "Unknown status returned"


def outbound(message):
    """The hub's form of a packet."""
    if type(message) is not dict:
        raise Unsendable("MQTT takes a dictionary, not %s" % type(message).__name__)
    if "Verb" not in message:
        raise Unsendable("an MQTT message needs 'Verb'")
    verb = message["Verb"]
    encode = _OUTBOUND.get(verb) if isinstance(verb, str) else None
    if encode is None:
        raise Unsendable("MQTT has no verb %r to send" % (verb,))
    return ("mqtt",) + encode(message)


def _connect(message):
    will = None
    if "WillTopic" in message:
        will = (
            _text(message, "WillTopic"),
            _payload(message, "WillPayload"),
            _quality(message, "WillQoS"),
            bool(_number(message, "WillRetain", 0)),
        )
    return (
        "CONNECT",
        _text(message, "ID") if "ID" in message else "Domoticz",
        bool(_number(message, "CleanSession", 1)),
        _KEEP_ALIVE,
        will,
    )


def _publish(message):
    quality = _quality(message, "QoS")
    identifier = _given_identifier(message)
    if identifier is not None and not quality:
        log.error("an MQTT PUBLISH with QoS 0 has no PacketIdentifier, it is left out")
        identifier = None
    return (
        "PUBLISH",
        bool(_number(message, "Duplicate", 0)),
        quality,
        bool(_number(message, "Retain", 0)),
        _text(message, "Topic"),
        identifier,
        _payload(message, "Payload"),
    )


def _subscribe(message):
    topics = []
    for entry in _list(message, "Topics"):
        if not isinstance(entry, dict):
            raise Unsendable("an entry of 'Topics' must be a dictionary with 'Topic' and 'QoS'")
        if "Topic" in entry:
            topics.append((_text(entry, "Topic"), _quality(entry, "QoS")))
        else:
            log.core_error("an entry of 'Topics' has no 'Topic' and was left out")
    return ("SUBSCRIBE", _given_identifier(message), topics)


def _unsubscribe(message):
    topics = [plain(entry) for entry in _list(message, "Topics") if isinstance(entry, str)]
    return ("UNSUBSCRIBE", _given_identifier(message), topics)


def _suback(message):
    if "QoS" not in message:
        log.core_error("an MQTT SUBACK without 'QoS' grants 0")
    return ("SUBACK", _identifier(message), [_byte(message, "QoS")])


def _connack(message):
    # Additions of MQTT 5 are no part of the version that is spoken here.
    present = bool(_number(message, "SessionPresent", 0))
    return ("CONNACK", present, _byte(message, "ReasonCode"))


def _acknowledge(verb):
    return lambda message: (verb, _identifier(message))


_OUTBOUND = {
    "CONNECT": _connect,
    "CONNACK": _connack,
    "PUBLISH": _publish,
    "SUBSCRIBE": _subscribe,
    "SUBACK": _suback,
    "UNSUBSCRIBE": _unsubscribe,
    "PING": lambda message: ("PINGREQ",),
    "PINGRESP": lambda message: ("PINGRESP",),
    "DISCONNECT": lambda message: ("DISCONNECT",),
}
for _verb in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "UNSUBACK"):
    _OUTBOUND[_verb] = _acknowledge(_verb)


def _text(message, key):
    value = message.get(key)
    if not isinstance(value, str):
        raise Unsendable("'%s' of an MQTT message must be str" % key)
    return plain(value)


def _number(message, key, default):
    try:
        return number(message.get(key, default))
    except (TypeError, OverflowError) as failure:
        raise Unsendable("'%s' of an MQTT message: %s" % (key, failure)) from None


def _quality(message, key):
    quality = _number(message, key, 0)
    if quality not in (0, 1, 2):
        raise Unsendable("'%s' of an MQTT message is 0, 1 or 2, not %d" % (key, quality))
    return quality


def _byte(message, key):
    value = _number(message, key, 0)
    if not 0 <= value <= 255:
        raise Unsendable("'%s' of an MQTT message is a byte, not %d" % (key, value))
    return value


def _identifier(message):
    identifier = _given_identifier(message)
    if identifier is None:
        raise Unsendable("an MQTT %s needs 'PacketIdentifier'" % message["Verb"])
    return identifier


def _given_identifier(message):
    if "PacketIdentifier" not in message:
        return None
    identifier = _number(message, "PacketIdentifier", 0)
    if not 1 <= identifier <= 65535:
        raise Unsendable("'PacketIdentifier' is from 1 to 65535, not %d" % identifier)
    return identifier


def _list(message, key):
    value = message.get(key)
    if not isinstance(value, list):
        raise Unsendable("'%s' of an MQTT message must be a list" % key)
    return value


def _payload(message, key):
    value = message.get(key)
    if value is None:
        return b""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, int):
        # The original sends the lowest byte four times.
        value = str(value)
    if not isinstance(value, str):
        raise Unsendable(
            "'%s' of an MQTT message must be str, bytes or a whole number, not %s"
            % (key, type(value).__name__)
        )
    return value.encode("utf-8", "replace")


def inbound(verb, *fields):
    """The dictionary for one packet."""
    message = {"Verb": verb}
    message.update(_INBOUND[verb](*fields))
    return message


def _connect_received(client, clean, keep_alive, will, username, password):
    message = {
        "Version": 4,
        "Username": False if username is None else username,
        "Password": False if password is None else password,
        "Retain": False if will is None else will[3],
        "QoS": 0 if will is None else will[2],
        "Will": will is not None,
        "Clean": clean,
        "KeepAlive": keep_alive,
        "Properties": False,
    }
    if client:
        message["ClientID"] = client
    if will is not None:
        message.update(WillDelayInterval=0, WillTopic=will[0], WillPayload=will[1])
    return message


def _connack_received(present, code):
    description = _CONNACK[code] if code < len(_CONNACK) else _UNKNOWN
    return {"Description": description, "Status": code}


def _publish_received(duplicate, quality, retain, topic, identifier, payload):
    message = {"DUP": duplicate, "QoS": quality, "Retain": retain, "Topic": topic}
    if identifier is not None:
        message["PacketIdentifier"] = identifier
    message["Payload"] = payload
    return message


def _subscribe_received(identifier, topics):
    topics = [{"Topic": topic, "QoS": quality} for topic, quality in topics]
    return {"PacketIdentifier": identifier, "Topics": topics}


def _suback_received(identifier, codes):
    topics = [{"Status": code, "Description": _SUBACK.get(code, _UNKNOWN)} for code in codes]
    return {"PacketIdentifier": identifier, "Topics": topics}


def _unsubscribe_received(identifier, topics):
    return {"PacketIdentifier": identifier, "Topics": list(topics)}


def _identified(identifier):
    return {"PacketIdentifier": identifier}


_INBOUND = {
    "CONNECT": _connect_received,
    "CONNACK": _connack_received,
    "PUBLISH": _publish_received,
    "SUBSCRIBE": _subscribe_received,
    "SUBACK": _suback_received,
    "UNSUBSCRIBE": _unsubscribe_received,
    "PINGREQ": dict,
    "PINGRESP": dict,
    "DISCONNECT": dict,
}
for _verb in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "UNSUBACK"):
    _INBOUND[_verb] = _identified
