"""WebSocket, MQTT and ICMP: behaviour spec 7.7 to 7.9, as far as Python decides."""

from test_message import MessageCase


class Udp(MessageCase):
    def test_rule_096_the_sender_of_a_datagram_is_a_connection(self):
        listener = self.domoticz.Connection("l", "UDP/IP", "None", "224.0.0.1", "1900")
        self.plugin.listener = listener
        listener.Listen()
        self.hub.calls.clear()
        self.plugin.onMessage = lambda connection, data: self.plugin.got.append(connection)
        self.deliver("message", 2, b"x", ("10.0.0.9", "5000"))
        child = self.plugin.got[0]
        self.assertIsNot(child, listener)
        self.assertEqual((child.Name, child.Address, child.Port), ("l", "10.0.0.9", "5000"))
        self.assertEqual((child.Baud, child.Parent), (-1, None))
        self.assertIs(type(child), self.domoticz.Connection)

    def test_rule_097_an_answer_goes_to_the_sender(self):
        listener = self.domoticz.Connection("l", "UDP/IP", "None", "", "1900")
        self.plugin.listener = listener
        listener.Listen()
        self.hub.calls.clear()
        self.plugin.onMessage = lambda connection, data: connection.Send(b"r")
        self.deliver("message", 2, b"x", ("10.0.0.9", "5000"))
        self.assertEqual(
            self.hub.calls[0][:4],
            ("send", 3, ("l", "UDP/IP", "None", "10.0.0.9", "5000", -1), b"r"),
        )

    def test_a_dropped_listener_leaves_nothing_behind(self):
        import _cordon_connection

        for _ in range(10):
            listener = self.domoticz.Connection("l", "UDP/IP", "None", "", "1900")
            listener.Listen()
            del listener
        self.assertEqual([call[0] for call in self.hub.calls].count("release"), 10)
        self.assertEqual(_cordon_connection._stand_ins, {})


class WebSocket(MessageCase):
    PROTOCOL = "WS"

    def test_rule_132_a_request_gets_the_missing_headers(self):
        message = {"URL": "/ws", "Headers": {"Host": "h"}}
        sent = self.sent(message)
        self.assertEqual(sent[:4], ("http", "GET", "/ws", None))
        self.assertEqual(
            [name for name, _ in sent[4]],
            [
                "Host",
                "Accept",
                "Accept-Language",
                "Accept-Encoding",
                "Connection",
                "Sec-WebSocket-Version",
                "Sec-WebSocket-Extensions",
                "Upgrade",
                "User-Agent",
                "Pragma",
                "Cache-Control",
            ],
        )
        self.assertEqual(message["Verb"], "GET")
        self.assertEqual(message["Headers"]["Upgrade"], "websocket")
        self.assertEqual(self.sent({"URL": "/"})[4][0], ("Accept", [b"*/*"]))

    def test_given_headers_stay(self):
        sent = self.sent({"URL": "/", "Headers": {"Upgrade": "x", "Origin": "o"}})
        self.assertEqual(sent[4][:2], [("Upgrade", [b"x"]), ("Origin", [b"o"])])

    def test_rule_137_frames(self):
        for message, expected in (
            ({"Payload": "hi"}, ("text", None, b"hi")),
            ({"Payload": "é", "Mask": 0x01020304}, ("text", 0x01020304, "é".encode())),
            ({"Payload": b"x", "Mask": "4294967297"}, ("binary", 1, b"x")),
            ({"Payload": bytearray(b"x")}, ("binary", None, b"x")),
            ({"Operation": "Ping"}, ("ping", None, b"")),
            ({"Operation": "Pong", "Payload": "Pong"}, ("pong", None, b"Pong")),
            ({"Operation": "Close", "Payload": b"\x03\xe8"}, ("close", None, b"\x03\xe8")),
            ({"Operation": "Other", "Payload": "x"}, ("text", None, b"x")),
            ({"Payload": 5}, ("continuation", None, b"")),
            ({"Finish": False}, ("continuation", None, b"")),
            ({}, ("continuation", None, b"")),
        ):
            self.assertEqual(self.sent(message), ("websocket",) + expected, message)
        self.assertQuiet()

    def test_what_is_no_frame_is_refused(self):
        for message in (
            "x",
            b"x",
            {"Mask": None},
            {"Mask": "x"},
            {"Mask": 1.5},
            {"Operation": 9},
            {"Operation": None},
        ):
            self.hub.records.clear()
            self.assertIsNone(self.sent(message), message)
            self.assertCoreError("WebSocket")

    def frame(self, kind, data=b"", finish=True, mask=None):
        return self.receive(("websocket", kind, finish, mask, data))

    def test_rules_133_134_data_frames(self):
        self.assertEqual(self.frame("text", b"hello"), {"Finish": True, "Payload": "hello"})
        self.assertEqual(self.frame("text"), {"Finish": True, "Payload": ""})
        self.assertEqual(self.frame("text", b"a\0b"), {"Finish": True, "Payload": "a\0b"})
        self.assertEqual(self.frame("text", b"abc", False), {"Finish": False, "Payload": "abc"})
        self.assertEqual(self.frame("continuation", b"g"), {"Finish": True, "Payload": b"g"})
        self.assertEqual(self.frame("binary", b"g"), {"Finish": True, "Payload": b"g"})
        self.assertEqual(self.frame("binary"), {"Finish": True})
        self.assertEqual(self.frame("other", b"g"), {"Finish": True, "Payload": b"g"})
        self.assertQuiet()
        self.assertEqual(self.frame("text", b"\xc3"), {"Finish": True, "Payload": b"\xc3"})
        self.assertError("not UTF-8")

    def test_rules_135_136_control_frames(self):
        self.assertEqual(self.frame("ping", b"abc"), {"Operation": "Ping", "Payload": b"abc"})
        self.assertEqual(self.frame("pong"), {"Operation": "Pong"})
        self.assertEqual(
            self.frame("close", b"\x03\xe8"),
            {"Finish": True, "Operation": "Close", "Payload": 1000},
        )
        self.assertEqual(
            self.frame("close", b"\x03\xe8bye"),
            {"Finish": True, "Operation": "Close", "Payload": b"\x03\xe8bye"},
        )
        self.assertEqual(self.frame("close"), {"Finish": True, "Operation": "Close"})

    def test_a_mask_is_told(self):
        self.assertEqual(
            self.frame("text", b"x", mask=5), {"Finish": True, "Mask": 5, "Payload": "x"}
        )

    def test_a_response_is_one_of_http(self):
        self.assertEqual(
            self.receive(("http", None, None, "101", [], None)), {"Status": "101", "Headers": {}}
        )


class Mqtt(MessageCase):
    PROTOCOL = "MQTT"

    def test_rule_139_connect(self):
        self.assertEqual(
            self.sent({"Verb": "CONNECT"}), ("mqtt", "CONNECT", "Domoticz", True, 60, None)
        )
        self.assertEqual(
            self.sent(
                {
                    "Verb": "CONNECT",
                    "ID": "me",
                    "CleanSession": 0,
                    "WillTopic": "w",
                    "WillQoS": 1,
                    "WillRetain": True,
                    "WillPayload": b"\0",
                }
            ),
            ("mqtt", "CONNECT", "me", False, 60, ("w", b"\0", 1, True)),
        )

    def test_rule_141_subscribe(self):
        topics = [{"Topic": "a/b", "QoS": 1}, {"Topic": "c"}]
        self.assertEqual(
            self.sent({"Verb": "SUBSCRIBE", "Topics": topics}),
            ("mqtt", "SUBSCRIBE", None, [("a/b", 1), ("c", 0)]),
        )
        sent = self.sent(
            {"Verb": "SUBSCRIBE", "Topics": [{"QoS": 1}, {"Topic": "c"}], "PacketIdentifier": 7}
        )
        self.assertEqual(sent, ("mqtt", "SUBSCRIBE", 7, [("c", 0)]))
        self.assertCoreError("no 'Topic'")

    def test_unsubscribe(self):
        self.assertEqual(
            self.sent({"Verb": "UNSUBSCRIBE", "Topics": ["a", 5, "b"]}),
            ("mqtt", "UNSUBSCRIBE", None, ["a", "b"]),
        )

    def test_rules_142_143_publish(self):
        for payload, expected in (
            ("hi", b"hi"),
            (b"\0\xff", b"\0\xff"),
            (bytearray(b"x"), b"x"),
            (42, b"42"),
            ("é", "é".encode()),
            (None, b""),
        ):
            self.assertEqual(
                self.sent({"Verb": "PUBLISH", "Topic": "t", "Payload": payload}),
                ("mqtt", "PUBLISH", False, 0, False, "t", None, expected),
            )
        self.assertEqual(
            self.sent(
                {
                    "Verb": "PUBLISH",
                    "Topic": "t",
                    "QoS": 1,
                    "Retain": 1,
                    "Duplicate": 1,
                    "PacketIdentifier": 9,
                }
            ),
            ("mqtt", "PUBLISH", True, 1, True, "t", 9, b""),
        )
        self.assertQuiet()
        sent = self.sent({"Verb": "PUBLISH", "Topic": "t", "PacketIdentifier": 9})
        self.assertIsNone(sent[6])
        self.assertError("PacketIdentifier")

    def test_rule_144_ping_and_what_is_no_verb(self):
        self.assertEqual(self.sent({"Verb": "PING"}), ("mqtt", "PINGREQ"))
        for verb in ("PINGREQ", "publish", "", None, ["PING"]):
            self.hub.records.clear()
            self.assertIsNone(self.sent({"Verb": verb}))
            self.assertCoreError("no verb")
        for message in ({}, "PING", b"\xc0\0"):
            self.hub.records.clear()
            self.assertIsNone(self.sent(message))
            self.assertCoreError("MQTT")

    def test_acknowledgements(self):
        for verb in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "UNSUBACK"):
            self.assertEqual(
                self.sent({"Verb": verb, "PacketIdentifier": 5, "ReasonCode": 0}), ("mqtt", verb, 5)
            )
        self.assertEqual(
            self.sent({"Verb": "SUBACK", "PacketIdentifier": 5, "QoS": 128}),
            ("mqtt", "SUBACK", 5, [128]),
        )
        self.assertEqual(
            self.sent({"Verb": "CONNACK", "ReasonCode": 5}), ("mqtt", "CONNACK", False, 5)
        )
        self.assertEqual(self.sent({"Verb": "DISCONNECT"}), ("mqtt", "DISCONNECT"))
        self.assertEqual(self.sent({"Verb": "PINGRESP"}), ("mqtt", "PINGRESP"))

    def test_what_is_missing_or_wrong_sends_nothing(self):
        for message in (
            {"Verb": "PUBLISH"},
            {"Verb": "PUBLISH", "Topic": 5},
            {"Verb": "PUBLISH", "Topic": "t", "QoS": 3},
            {"Verb": "PUBLISH", "Topic": "t", "QoS": "1"},
            {"Verb": "PUBLISH", "Topic": "t", "Payload": 1.5},
            {"Verb": "PUBLISH", "Topic": "t", "QoS": 1, "PacketIdentifier": 65536},
            {"Verb": "PUBACK"},
            {"Verb": "PUBREL", "PacketIdentifier": 0},
            {"Verb": "SUBSCRIBE"},
            {"Verb": "SUBSCRIBE", "Topics": ["t"]},
            {"Verb": "SUBACK", "PacketIdentifier": 1, "QoS": 256},
            {"Verb": "CONNECT", "WillTopic": None},
            {"Verb": "CONNECT", "ID": 5},
        ):
            self.hub.records.clear()
            self.assertIsNone(self.sent(message), message)
            self.assertEqual(len(self.core_errors()), 1, message)

    def packet(self, verb, *fields):
        return self.receive(("mqtt", verb) + fields)

    def test_rule_145_connack_is_described_by_its_code(self):
        self.assertEqual(
            self.packet("CONNACK", True, 5),
            {"Verb": "CONNACK", "Status": 5, "Description": "Connection Refused, not authorized"},
        )
        self.assertEqual(self.packet("CONNACK", False, 0)["Description"], "Connection Accepted")
        self.assertEqual(self.packet("CONNACK", False, 9)["Description"], "Unknown status returned")

    def test_rules_146_147_publish(self):
        message = self.packet("PUBLISH", False, 0, False, "a/b", None, b"pay")
        self.assertEqual(
            message,
            {
                "Verb": "PUBLISH",
                "DUP": False,
                "QoS": 0,
                "Retain": False,
                "Topic": "a/b",
                "Payload": b"pay",
            },
        )
        self.assertEqual(list(message), ["Verb", "DUP", "QoS", "Retain", "Topic", "Payload"])
        message = self.packet("PUBLISH", True, 2, True, "t", 9, b"")
        self.assertEqual((message["PacketIdentifier"], message["Payload"]), (9, b""))

    def test_rule_148_suback(self):
        topics = self.packet("SUBACK", 7, [0, 1, 2, 128, 3])["Topics"]
        self.assertEqual([topic["Status"] for topic in topics], [0, 1, 2, 128, 3])
        self.assertEqual(
            [topic["Description"] for topic in topics],
            [
                "Success - Maximum QoS 0",
                "Success - Maximum QoS 1",
                "Success - Maximum QoS 2",
                "Failure",
                "Unknown status returned",
            ],
        )

    def test_rule_149_acknowledgements(self):
        for verb in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "UNSUBACK"):
            self.assertEqual(self.packet(verb, 7), {"Verb": verb, "PacketIdentifier": 7})
        for verb in ("PINGREQ", "PINGRESP", "DISCONNECT"):
            self.assertEqual(self.packet(verb), {"Verb": verb})

    def test_what_clients_send(self):
        self.assertEqual(
            self.packet("SUBSCRIBE", 3, [("a", 1)]),
            {"Verb": "SUBSCRIBE", "PacketIdentifier": 3, "Topics": [{"Topic": "a", "QoS": 1}]},
        )
        self.assertEqual(
            self.packet("UNSUBSCRIBE", 3, ["a"]),
            {"Verb": "UNSUBSCRIBE", "PacketIdentifier": 3, "Topics": ["a"]},
        )
        message = self.packet("CONNECT", "", True, 30, None, None, None)
        self.assertEqual(
            message,
            {
                "Verb": "CONNECT",
                "Version": 4,
                "Username": False,
                "Password": False,
                "Retain": False,
                "QoS": 0,
                "Will": False,
                "Clean": True,
                "KeepAlive": 30,
                "Properties": False,
            },
        )
        message = self.packet("CONNECT", "c", False, 30, ("w", b"p", 2, True), "u", "s")
        self.assertEqual(
            (message["ClientID"], message["Username"], message["Password"]), ("c", "u", "s")
        )
        self.assertEqual((message["Will"], message["QoS"], message["Retain"]), (True, 2, True))
        self.assertEqual((message["WillTopic"], message["WillPayload"]), ("w", b"p"))


class Icmp(MessageCase):
    PROTOCOL = "ICMP"

    def test_rule_150_no_answer(self):
        self.assertEqual(
            self.receive(("icmp", 11, None, None, b"")),
            {"Status": 11, "Description": "time_exceeded", "Data": b""},
        )

    def test_a_reply(self):
        headers = ("10.0.0.1", "10.0.0.2", 4, 1, 0, 20, 32, 7, 99, 64, 0, 0, 5, 6, 8)
        message = self.receive(("icmp", 0, 3, headers, b"packet"))
        self.assertEqual(
            list(message), ["Status", "Description", "ElapsedMs", "IPv4", "ICMP", "Data"]
        )
        self.assertEqual((message["Description"], message["ElapsedMs"]), ("echo_reply", 3))
        self.assertEqual(
            (message["IPv4"]["Source"], message["IPv4"]["TimeToLive"]), ("10.0.0.1", 64)
        )
        self.assertEqual(
            message["ICMP"],
            {"Type": 0, "Code": 0, "Checksum": 5, "Identifier": 6, "SequenceNumber": 8},
        )
        self.assertEqual(self.receive(("icmp", 5, None, None, b"x"))["Description"], "unknown")

    def test_what_is_sent_is_the_payload(self):
        self.assertEqual(self.sent("ping"), b"ping")
