"""Domoticz.Connection: behaviour spec section 5, rules 76 to 100."""

import gc

from plugin_case import NOT_DEFINED, OK, PluginCase

OPEN = (False, True, 120, "2026-11-21 02:03:16")
CONNECTING = (True, False, 0, "1970-01-01 00:00:00")

# A plugin that writes down every connection event.
RECORDER = """
events = []
conn = None
def onConnect(Connection, Status, Description):
    events.append(("connect", Connection, Status, Description))
def onMessage(Connection, Data):
    events.append(("message", Connection, Data))
def onTimeout(Connection):
    events.append(("timeout", Connection))
def onDisconnect(Connection):
    events.append(("disconnect", Connection, Connection.Connected()))
"""


class ConnectionCase(PluginCase):
    def setUp(self):
        super().setUp()
        self.begin(RECORDER)
        self.Connection = self.domoticz.Connection

    def connection(self, *args, **kwargs):
        kwargs.setdefault("Port", "80")
        kwargs.setdefault("Address", "10.0.0.1")
        return self.Connection("n", *(args or ("TCP/IP",)), **kwargs)

    def connected(self, **kwargs):
        """A connection of the plugin that is open, with number 1."""
        self.plugin.conn = self.connection(**kwargs)
        self.plugin.conn.Connect()
        self.deliver("connected", 1, None, "", "", 0, "Success")
        self.hub.states[1] = OPEN
        self.hub.calls.clear()
        self.plugin.events.clear()
        return self.plugin.conn


class Construction(ConnectionCase):
    def test_rule_076_a_port_that_is_no_text_raises(self):
        with self.assertRaises(TypeError):
            self.Connection("n", "TCP/IP", Port=80)
        self.assertCoreError("Expected Connection(")
        with self.assertRaises(TypeError):
            self.Connection("n")
        with self.assertRaises(TypeError):
            self.Connection("n", "TCP/IP", Baud="9600")

    def test_a_port_may_be_assigned_as_a_number(self):
        connection = self.connection()
        connection.Port = 8080
        connection.Connect()
        self.assertEqual(
            self.hub.calls, [("connect", 1, ("n", "TCP/IP", "None", "10.0.0.1", "8080", -1), 0)]
        )

    def test_rule_077_text_of_a_new_connection(self):
        self.assertEqual(
            str(self.Connection("n", "TCP/IP")),
            "Name: 'n', Transport: 'TCP/IP', Protocol: 'None', Address: '', Port: '', Baud: -1, "
            "Timeout: 0, Connected: False, Parent: 'None'",
        )

    def test_text_of_an_open_connection(self):
        self.connected(Protocol="Line")
        self.assertEqual(
            str(self.plugin.conn),
            "Name: 'n', Transport: 'TCP/IP', Protocol: 'Line', Address: '10.0.0.1', Port: '80', "
            "Baud: -1, Timeout: 0, Bytes: 120, Connected: True, Last Seen: 2026-11-21 02:03:16, "
            "Parent: 'None'",
        )

    def test_rule_078_state_of_a_new_connection(self):
        connection = self.connection()
        self.assertIs(connection.Connected(), False)
        self.assertIs(connection.Connecting(), False)
        self.assertIs(connection.BytesTransferred(), False)
        self.assertIsNone(connection.LastSeen())
        self.assertIsNone(connection.Target)
        self.assertIsNone(connection.Parent)

    def test_state_of_an_open_connection(self):
        connection = self.connected()
        self.assertIs(connection.Connected(), True)
        self.assertIs(connection.Connecting(), False)
        self.assertEqual(connection.BytesTransferred(), 120)
        self.assertEqual(connection.LastSeen(), "2026-11-21 02:03:16")

    def test_baud_defaults_to_minus_one_and_zero_is_ignored(self):
        self.assertEqual(self.Connection("n", "Serial").Baud, -1)
        self.assertEqual(self.Connection("n", "Serial", Baud=0).Baud, -1)
        self.assertEqual(self.Connection("n", "Serial", Baud=9600).Baud, 9600)

    def test_members_are_read_only_or_open(self):
        connection = self.connection()
        for name in ("Name", "Baud", "Parent"):
            with self.assertRaisesRegex(AttributeError, "^readonly attribute$"):
                setattr(connection, name, 1)
        for name in ("Address", "Port", "Target"):
            value = object()
            setattr(connection, name, value)
            self.assertIs(getattr(connection, name), value)
            delattr(connection, name)
            self.assertIsNone(getattr(connection, name))
        with self.assertRaises(AttributeError):
            connection.Transport = "x"
        self.assertFalse(hasattr(connection, "Timeout"))
        self.assertRegex(repr(connection), r"^<Domoticz\.Connection object at 0x")


class Requests(ConnectionCase):
    def test_rule_079_a_short_timeout_is_refused(self):
        for timeout in (100, 199, -1):
            self.hub.records.clear()
            self.connection().Connect(Timeout=timeout)
            self.assertError("250")
        self.assertEqual(self.hub.calls, [])

    def test_rule_080_two_hundred_milliseconds_are_accepted(self):
        self.connection().Connect(Timeout=200)
        self.assertQuiet()
        self.assertEqual(self.hub.calls[0][3], 200)

    def test_arguments_of_connect_and_listen_raise(self):
        for method, arguments in (
            ("Connect", {"Timeout": "x"}),
            ("Connect", {"Nonsense": 1}),
            ("Connect", {"Timeout": 1.5}),
            ("Listen", {"Timeout": 1}),
        ):
            self.hub.records.clear()
            with self.assertRaises(TypeError):
                getattr(self.connection(), method)(**arguments)
            self.assertCoreError("Expected " + method)
        self.assertEqual(self.hub.calls, [])

    def test_rules_081_082_the_hub_judges_transport_and_port(self):
        self.Connection("n", "UDP/IP").Connect()
        self.assertEqual(self.hub.calls[0][2], ("n", "UDP/IP", "None", "", "", -1))

    def test_rule_083_connecting_twice_is_an_error(self):
        connection = self.connection()
        connection.Connect()
        self.hub.states[1] = CONNECTING
        connection.Connect()
        self.assertError("is connecting already")
        self.hub.states[1] = OPEN
        connection.Connect()
        self.assertError("is connected already")
        self.assertEqual(len(self.hub.calls), 1)

    def test_a_target_stays_until_it_is_replaced(self):
        connection = self.connection()
        target = object()
        connection.Connect(Target=target)
        connection.Connect()
        self.assertIs(connection.Target, target)
        connection.Connect(None)
        self.assertIsNone(connection.Target)

    def test_listening_is_left_to_the_hub(self):
        connection = self.connection(Port="8080")
        target = object()
        connection.Listen(target)
        self.assertEqual(
            self.hub.calls, [("listen", 1, ("n", "TCP/IP", "None", "10.0.0.1", "8080", -1))]
        )
        self.assertIs(connection.Target, target)

    def test_numbers_are_never_used_twice(self):
        kept = [self.connection() for _ in range(3)]
        for connection in kept:
            connection.Connect()
            connection.Connect()
        self.assertEqual([call[1] for call in self.hub.calls], [1, 1, 2, 2, 3, 3])

    def test_disconnecting_what_was_never_used_is_an_error(self):
        self.connection().Disconnect()
        self.assertError("never used")
        self.connected().Disconnect()
        self.assertEqual(self.hub.calls, [("disconnect", 1)])

    def test_rule_093_a_listener_shows_the_state_of_the_hub(self):
        listener = self.connection()
        listener.Listen()
        self.hub.states[1] = (True, False, 0, "1970-01-01 00:00:00")
        self.assertEqual((listener.Connected(), listener.Connecting()), (False, True))

    def test_rule_099_a_delay_goes_with_the_message(self):
        connection = self.connected()
        connection.Send("x", Delay=2)
        connection.Send("y", Delay=-4)
        connection.Send(Message=b"z")
        self.assertEqual([call[3:] for call in self.hub.calls], [(b"x", 2), (b"y", 0), (b"z", 0)])

    def test_rule_100_a_delay_must_be_whole(self):
        self.assertIsNone(self.connected().Send("x", Delay=1.5))
        self.assertIn("Expected Send", self.errors()[0])
        self.assertEqual(
            self.errors()[-1], "TypeError: 'float' object cannot be interpreted as an integer"
        )
        self.assertEqual(self.hub.calls, [])

    def test_what_send_takes_without_a_message_protocol(self):
        connection = self.connected()
        for message in (b"a", bytearray(b"a"), "ä", 5, None, ["x"], "\ud800"):
            connection.Send(message)
        self.assertEqual(
            [call[3] for call in self.hub.calls],
            [b"a", b"a", "ä".encode(), b"5", b"None", b"['x']", b"?"],
        )
        self.assertTrue(all(type(call[3]) is bytes for call in self.hub.calls))

    def test_a_message_whose_text_fails_is_logged(self):
        class Bad:
            def __str__(self):
                raise KeyError("text")

        self.connected().Send(Bad())
        self.assertEqual(self.errors()[-1], "KeyError: 'text'")
        self.assertEqual(self.hub.calls, [])

    def test_rule_114_a_dictionary_on_json_is_sent_as_python(self):
        self.connected(Protocol="JSON").Send({"a": 1})
        self.assertEqual(self.hub.calls[0][3], b"{'a': 1}")


class Events(ConnectionCase):
    def test_rule_084_a_failed_connect_gives_the_same_object_twice(self):
        self.plugin.conn = self.connection()
        self.plugin.conn.Connect()
        self.assertEqual(self.deliver("connected", 1, None, "", "", 111, "Connection refused"), OK)
        self.assertEqual(self.deliver("disconnected", 1), OK)
        connect, disconnect = self.plugin.events
        self.assertEqual(connect[2:], (111, "Connection refused"))
        self.assertIs(connect[1], self.plugin.conn)
        self.assertIs(disconnect[1], self.plugin.conn)

    def test_rule_086_callbacks_get_the_very_object(self):
        connection = self.connected()
        self.deliver("message", 1, b"x")
        self.deliver("timed-out", 1)
        self.assertEqual(
            self.plugin.events, [("message", connection, b"x"), ("timeout", connection)]
        )
        self.assertTrue(self.plugin.events[0][1] == self.plugin.conn)

    def test_rule_088_connected_is_false_in_on_disconnect(self):
        connection = self.connected()
        connection.Disconnect()
        self.hub.states[1] = (False, False, 120, "2026-11-21 02:03:16")
        self.deliver("disconnected", 1)
        self.assertEqual(self.plugin.events, [("disconnect", connection, False)])

    def test_a_connection_can_be_used_again(self):
        connection = self.connected()
        self.deliver("disconnected", 1)
        del self.hub.states[1]
        connection.Connect()
        self.deliver("connected", 1, None, "", "", 0, "Success")
        self.assertIs(self.plugin.events[-1][1], connection)

    def test_rule_089_dropping_the_last_reference_closes(self):
        connection = self.connected()
        name = connection.Name
        del connection
        self.plugin.conn = None
        self.assertEqual(self.hub.calls, [("release", 1)])
        self.hub.states.pop(1)
        self.assertEqual(self.deliver("disconnected", 1), OK)
        kind, stand_in, connected = self.plugin.events[0]
        self.assertEqual((kind, stand_in.Name, connected), ("disconnect", name, False))
        self.assertEqual(stand_in.Address, "10.0.0.1")
        # That was its last event.
        self.assertEqual(self.deliver("disconnected", 1), NOT_DEFINED)
        del stand_in
        self.plugin.events.clear()
        self.assertEqual(self.hub.calls, [("release", 1)])

    def test_rule_089_the_target_of_a_dropped_connection_is_told(self):
        class Target:
            seen = []

            def onDisconnect(self, connection):
                self.seen.append(connection.Name)

        self.connected().Target = Target()
        self.plugin.conn = None
        self.deliver("disconnected", 1)
        self.assertEqual((Target.seen, self.plugin.events), (["n"], []))

    def test_a_dropped_connection_may_be_taken_up_again(self):
        self.connected()
        self.plugin.conn = None
        self.hub.states.clear()
        self.plugin.onDisconnect = lambda Connection: (
            setattr(self.plugin, "conn", Connection),
            Connection.Connect(),
        )
        self.hub.calls.clear()
        self.deliver("disconnected", 1)
        self.assertEqual([call[:2] for call in self.hub.calls], [("connect", 2)])
        self.deliver("connected", 2, None, "", "", 0, "Success")
        self.assertIs(self.plugin.events[-1][1], self.plugin.conn)
        self.plugin.events.clear()
        self.plugin.conn = None
        self.plugin.onDisconnect = None
        gc.collect()
        self.assertEqual(self.hub.calls[-1], ("release", 2))

    def test_a_dropped_connection_may_be_taken_up_before_its_end(self):
        self.connected()
        self.plugin.conn = None
        self.hub.states.clear()
        # The rest of what was received comes before the last event.
        self.deliver("message", 1, b"rest")
        self.plugin.conn = self.plugin.events[0][1]
        self.plugin.conn.Connect()
        self.assertEqual(self.hub.calls[-1][:2], ("connect", 2))
        self.assertEqual(self.deliver("disconnected", 1), NOT_DEFINED)
        self.deliver("connected", 2, None, "", "", 0, "Success")
        self.assertIs(self.plugin.events[-1][1], self.plugin.conn)

    def test_a_subclass_keeps_its_attributes_to_the_end(self):
        class Mine(self.Connection):
            pass

        self.plugin.conn = Mine("n", "TCP/IP", Port="1")
        self.plugin.conn.extra = 5
        self.plugin.conn.Connect()
        self.plugin.conn = None
        self.deliver("disconnected", 1)
        self.assertEqual(
            (type(self.plugin.events[0][1]), self.plugin.events[0][1].extra), (Mine, 5)
        )

    def test_an_unused_connection_costs_the_hub_nothing(self):
        self.connection()
        self.assertEqual(self.hub.calls, [])

    def test_a_one_shot_send_is_released_at_once(self):
        self.Connection("n", "UDP/IP", Address="10.0.0.1", Port="5").Send("x")
        self.assertEqual([call[0] for call in self.hub.calls], ["send", "release"])

    def test_a_delayed_send_holds_the_connection(self):
        clock = [100.0]
        module = __import__("_cordon_connection")
        module.time = type("Clock", (), {"monotonic": staticmethod(lambda: clock[0])})
        self.connection().Send("x", Delay=5)
        self.assertEqual([call[0] for call in self.hub.calls], ["send"])
        clock[0] += 5
        self.deliver("heartbeat")
        self.assertEqual(len(self.hub.calls), 1)
        clock[0] += 3
        self.deliver("heartbeat")
        self.assertEqual([call[0] for call in self.hub.calls], ["send", "release"])

    def test_a_refused_delayed_send_holds_nothing(self):
        self.hub.refuse_connection = "inbox-full"
        self.connection().Send("x", Delay=5)
        self.assertEqual(self.hub.calls[-1], ("release", 1))

    def test_stand_ins_are_bounded(self):
        module = __import__("_cordon_connection")
        for _ in range(module.STAND_IN_LIMIT + 50):
            self.connection().Connect()
        self.assertEqual(len(module._stand_ins), module.STAND_IN_LIMIT)
        self.assertEqual(len(module._known), 0)
        releases = [call[1] for call in self.hub.calls if call[0] == "release"]
        self.assertEqual(releases, list(range(1, module.STAND_IN_LIMIT + 51)))

    def test_events_of_unknown_connections_are_discarded(self):
        self.assertEqual(self.deliver("connected", 9, None, "", "", 0, "x"), NOT_DEFINED)
        self.assertEqual(self.deliver("message", 9, b"x"), NOT_DEFINED)
        self.assertEqual(self.deliver("timed-out", 9), NOT_DEFINED)
        self.assertEqual(self.deliver("disconnected", 9), NOT_DEFINED)
        self.assertEqual(self.plugin.events, [])

    def test_rule_090_a_target_without_the_method_drops_the_event(self):
        self.connected().Target = object()
        self.assertEqual(self.deliver("message", 1, b"x"), NOT_DEFINED)
        self.assertEqual(self.plugin.events, [])

    def test_a_target_takes_all_events(self):
        class Target:
            def __init__(self):
                self.seen = []

            def onConnect(self, *args):
                self.seen.append(args[1:])

            def onMessage(self, connection, data):
                self.seen.append(data)

            def onTimeout(self, connection):
                self.seen.append("timeout")

            def onDisconnect(self, connection):
                self.seen.append("disconnect")

        target = Target()
        self.plugin.conn = self.connection()
        self.plugin.conn.Connect(Target=target)
        self.deliver("connected", 1, None, "", "", 0, "Success")
        self.deliver("message", 1, b"x")
        self.deliver("timed-out", 1)
        self.deliver("disconnected", 1)
        self.assertEqual(target.seen, [(0, "Success"), b"x", "timeout", "disconnect"])
        self.assertEqual(self.plugin.events, [])

    def test_rule_095_a_failed_listener_is_told(self):
        self.plugin.conn = self.connection()
        self.plugin.conn.Listen()
        self.deliver("connected", 1, None, "", "", -1, "Address already in use")
        self.assertEqual(
            self.plugin.events, [("connect", self.plugin.conn, -1, "Address already in use")]
        )

    def test_rule_094_the_end_of_a_listener_is_told(self):
        self.plugin.conn = self.connection()
        self.plugin.conn.Listen()
        self.plugin.conn.Disconnect()
        self.deliver("disconnected", 1)
        self.assertEqual(self.plugin.events, [("disconnect", self.plugin.conn, False)])


class Clients(ConnectionCase):
    NUMBER = 2147483648

    def setUp(self):
        super().setUp()
        self.plugin.conn = self.connection("TCP/IP", "Line", Port="8080")
        self.plugin.conn.Listen()
        self.hub.states[1] = (True, False, 0, "1970-01-01 00:00:00")
        self.hub.calls.clear()

    def accept(self):
        self.hub.states[self.NUMBER] = OPEN
        return self.deliver("connected", self.NUMBER, 1, "10.0.0.7", "5123", 0, "Success")

    def test_rule_091_an_accepted_client(self):
        self.assertEqual(self.accept(), OK)
        kind, child, status, description = self.plugin.events[0]
        self.assertEqual((kind, status, description), ("connect", 0, "Success"))
        self.assertEqual(
            (child.Name, child.Address, child.Port, child.Baud),
            ("10.0.0.7:5123", "10.0.0.7", "5123", -1),
        )
        self.assertIs(child.Parent, self.plugin.conn)
        self.assertIn("Transport: 'TCP/IP', Protocol: 'Line'", str(child))
        self.assertTrue(str(child).endswith("Parent: 'n'"))
        self.assertIs(type(child), self.Connection)
        child.Send("x")
        self.assertEqual(self.hub.calls[0][:2], ("send", self.NUMBER))

    def test_a_client_has_the_target_of_its_listener(self):
        class Target:
            def onConnect(self, connection, status, description):
                self.child = connection

        self.plugin.conn.Target = target = Target()
        self.accept()
        self.assertIs(target.child.Target, target)
        self.assertEqual(self.plugin.events, [])

    def test_rule_092_a_client_that_is_not_kept_is_closed(self):
        names = []
        self.plugin.onConnect = lambda Connection, Status, Description: names.append(
            Connection.Name
        )
        self.assertEqual(self.accept(), OK)
        self.assertEqual((names, self.hub.calls), (["10.0.0.7:5123"], [("release", self.NUMBER)]))
        self.deliver("disconnected", self.NUMBER)
        self.assertEqual(self.plugin.events[0][1].Name, "10.0.0.7:5123")

    def test_a_kept_client_lives_on_and_gets_messages(self):
        self.accept()
        self.deliver("message", self.NUMBER, b"hello")
        self.assertEqual(self.plugin.events[1][2], b"hello")
        self.assertIs(self.plugin.events[1][1], self.plugin.events[0][1])
        self.assertEqual(self.hub.calls, [])

    def test_a_client_of_a_dropped_listener_is_released(self):
        module = __import__("_cordon_connection")
        self.plugin.conn = None
        module._stand_ins.clear()
        self.hub.calls.clear()
        self.assertEqual(self.accept(), NOT_DEFINED)
        self.assertEqual(self.hub.calls, [("release", self.NUMBER)])
