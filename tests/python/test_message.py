"""Messages: behaviour spec 7.3, 7.5 and 7.6, as far as Python decides."""

import collections

from plugin_case import OK, PluginCase


class MessageCase(PluginCase):
    PROTOCOL = "None"

    def setUp(self):
        super().setUp()
        self.begin("got = []\ndef onMessage(Connection, Data):\n    got.append(Data)\n")
        self.connection = self.domoticz.Connection("n", "TCP/IP", self.PROTOCOL, Port="1")
        self.connection.Connect()
        self.hub.calls.clear()

    def receive(self, data):
        self.plugin.got.clear()
        self.assertEqual(self.deliver("message", 1, data), OK)
        return self.plugin.got[0]

    def sent(self, message):
        self.hub.calls.clear()
        self.connection.Send(message)
        return self.hub.calls[0][3] if self.hub.calls else None


class Json(MessageCase):
    PROTOCOL = "JSON"

    def json(self, text):
        return self.receive(("json", text))

    def test_rule_108_bytes_are_delivered_as_bytes(self):
        self.assertEqual(self.receive(b"x"), b"x")
        self.assertIs(type(self.plugin.got[0]), bytes)

    def test_rule_112_values_are_converted(self):
        message = self.json('{"l":[true,null,1.0,2.5],"n":null,"t":true}')
        self.assertEqual(message, {"l": ["true", "", 1, 2.5], "n": "", "t": True})
        self.assertIs(type(message["l"][2]), int)
        self.assertIs(message["t"], True)

    def test_rule_113_keys_are_in_alphabetical_order(self):
        self.assertEqual(
            list(self.json('{"z":1,"a":{"y":1,"b":2},"Ä":3,"B":4}')), ["B", "a", "z", "Ä"]
        )
        self.assertEqual(list(self.plugin.got[0]["a"]), ["b", "y"])

    def test_integers_outside_the_range_are_floats(self):
        message = self.json(
            '{"a":4294967295,"b":4294967296,"c":-2147483648,"d":-2147483649,"e":3e0,"f":1e12}'
        )
        self.assertEqual(
            [type(value) for value in message.values()], [int, float, int, float, int, float]
        )
        self.assertEqual(message["b"], 4294967296.0)

    def test_nested_values_in_arrays(self):
        self.assertEqual(
            self.json('{"a":[[true,{"x":false,"y":null}],"s"]}'),
            {"a": [["true", {"x": False, "y": ""}], "s"]},
        )

    def test_the_parser_is_as_tolerant_as_the_original(self):
        for text in (
            '{"a":1,}',
            '{"a":1} rest',
            '\ufeff{"a":1}',
            '{"a":01}',
            '{"b":2,"a":1,"b":3}',
            '/* x */ {"a": 1 // one\n}',
            '{"a":[1,2,],}',
        ):
            self.assertIsInstance(self.json(text), dict, text)
        self.assertEqual(
            self.json('{"a":01,"b":-007,"c":10.05,"d":[0,00]}'),
            {"a": 1, "b": -7, "c": 10.05, "d": [0, 0]},
        )
        self.assertEqual(self.json('{"b":2,"b":3}'), {"b": 3})
        self.assertEqual(self.json('{"a":"x\ny"}'), {"a": "x\ny"})
        self.assertEqual(
            self.json('{"u":"http://h/*,}*/ 007","a":1,}'), {"u": "http://h/*,}*/ 007", "a": 1}
        )
        self.assertQuiet()

    def test_a_message_can_be_decoded_to_its_text(self):
        message = self.json('{"b": 1, "a": [true]}')
        self.assertEqual(message.decode("utf-8", "ignore"), '{"b": 1, "a": [true]}')
        self.assertEqual(message, {"a": ["true"], "b": 1})

    def test_rule_111_what_is_no_object_stays_bytes_with_an_error(self):
        for text in (
            '{"a":}',
            "{'a':1}",
            "{a:1}",
            '{"a":NaN}',
            '{"a":Infinity}',
            "[1]",
            "5",
            "",
            '{"a":"',
            '{"a":1 /*',
            '{"a":1' + "0" * 400 + "}",
        ):
            self.hub.records.clear()
            self.assertEqual(self.json(text), text.encode(), text)
            self.assertError("no JSON object")

    def test_deep_messages_are_not_parsed(self):
        text = '{"a":' + "[" * 5000 + "]" * 5000 + "}"
        self.assertEqual(self.json(text), text.encode())
        self.assertError("nested deeper")
        text = '{"a":' * 65 + "1" + "}" * 65
        self.assertEqual(self.json(text), text.encode())
        text = '{"a":' * 60 + "1" + "}" * 60
        self.assertIsInstance(self.json(text), dict)


class Http(MessageCase):
    PROTOCOL = "HTTP"

    def sent(self, message):
        sent = super().sent(message)
        if sent is None:
            return None
        self.assertEqual(sent[0], "http")
        return sent[1:]

    def test_rules_117_118_a_response(self):
        message = self.receive(("http", None, None, "200", [("A", ["b"])], b"hello"))
        self.assertEqual(message, {"Status": "200", "Headers": {"A": "b"}, "Data": b"hello"})
        self.assertEqual(list(message), ["Status", "Headers", "Data"])
        self.assertEqual(
            self.receive(("http", None, None, "204", [], None)), {"Status": "204", "Headers": {}}
        )

    def test_rule_119_repeated_headers_are_a_list(self):
        message = self.receive(
            ("http", None, None, "200", [("Set-Cookie", ["a", "b", "c"]), ("X", [""])], None)
        )
        self.assertEqual(message["Headers"], {"Set-Cookie": ["a", "b", "c"], "X": ""})

    def test_rule_122_a_request(self):
        message = self.receive(("http", "GET", "/a?x=1", None, [("Host", ["h"])], None))
        self.assertEqual(message, {"Verb": "GET", "URL": "/a?x=1", "Headers": {"Host": "h"}})
        self.assertEqual(list(message), ["Verb", "URL", "Headers"])

    def test_rule_125_a_request_is_handed_over_as_given(self):
        self.assertEqual(
            self.sent({"Verb": "get", "URL": "/x"}), ("get", "/x", None, [], None, False)
        )
        self.assertEqual(self.sent({"Verb": "GET", "URL": 5}), ("GET", None, None, [], None, False))

    def test_rule_127_data_that_is_missing_is_not_empty(self):
        self.assertEqual(self.sent({"Verb": "POST", "Data": b"abc"})[4], b"abc")
        self.assertEqual(self.sent({"Verb": "POST", "Data": "ä"})[4], "ä".encode())
        self.assertEqual(self.sent({"Verb": "POST", "Data": bytearray(b"x")})[4], b"x")
        self.assertEqual(self.sent({"Verb": "POST", "Data": 5})[4], b"")
        self.assertIsNone(self.sent({"Verb": "POST"})[4])

    def test_rule_128_header_values(self):
        headers = {"A": ["a", "b", 5], "B": 5, "C": b"c", "D": bytearray(b"d"), "E": "é", 7: "x"}
        self.assertEqual(
            self.sent({"Verb": "GET", "Headers": headers})[3],
            [("A", [b"a", b"b"]), ("B", []), ("C", [b"c"]), ("D", [b"d"]), ("E", ["é".encode()])],
        )

    def test_headers_that_are_no_dictionary_are_left_out(self):
        self.assertEqual(self.sent({"Verb": "GET", "Headers": "x"})[3], [])
        self.assertCoreError("'Headers'")

    def test_rule_129_only_a_dictionary_can_be_sent(self):
        for message in (collections.OrderedDict(Verb="GET"), "GET / HTTP/1.1", b"x", None):
            self.hub.records.clear()
            self.assertIsNone(self.sent(message))
            self.assertCoreError("HTTP takes a dictionary")

    def test_rule_130_a_response_is_handed_over_as_given(self):
        self.assertEqual(
            self.sent({"Status": "200 OK", "Data": "hi"}), (None, None, "200 OK", [], b"hi", False)
        )
        self.assertIsNone(self.sent({"Status": 200}))
        self.assertCoreError("'Status'")

    def test_rule_131_chunks(self):
        self.assertEqual(
            self.sent({"Chunk": False, "Data": "abc"}), (None, None, None, [], b"abc", True)
        )
        self.assertEqual(self.sent({"Chunk": True}), (None, None, None, [], None, True))
        self.assertTrue(self.sent({"Verb": "POST", "Chunk": True})[5])

    def test_a_message_without_a_kind_is_refused(self):
        self.assertIsNone(self.sent({"URL": "/"}))
        self.assertCoreError("'Verb', 'Status' or 'Chunk'")


class Traffic(MessageCase):
    def test_the_message_mask_dumps_what_is_received(self):
        self.domoticz.Debugging(64)
        self.hub.records.clear()
        self.receive(b"ab \x00\xff" + b"0123456789abcdefZ")
        self.assertEqual(
            self.normals(),
            [
                "connection 'n' received 22 bytes",
                "61 62 20 00 ff 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65    ab...0123456789abcde",
                "66 5a" + " .." * 18 + "    fZ",
            ],
        )

    def test_the_connection_mask_counts_only(self):
        self.domoticz.Debugging(16)
        self.hub.records.clear()
        self.receive(b"abc")
        self.sent("abcd")
        self.assertEqual(
            self.normals(), ["connection 'n' received 3 bytes", "connection 'n' sends 4 bytes"]
        )
