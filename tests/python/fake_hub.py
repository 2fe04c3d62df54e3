"""A hub for tests: the functions of module ``_cordon`` over plain Python values.

Owns the runtime's requests and, for devices and the configuration, the answers
that the contract promises. It never runs plugin code.
"""

import collections
import json
import types

HARDWARE_NAME = "HW"
UPDATED = "2026-11-21 02:03:16"

FIELDS = (
    "id",
    "unit",
    "device_id",
    "name",
    "device_type",
    "sub_type",
    "switch_type",
    "n_value",
    "s_value",
    "signal_level",
    "battery_level",
    "last_level",
    "image",
    "used",
    "description",
    "color",
    "options",
    "last_update",
    "adjustment",
    "multiplier",
)
Row = collections.namedtuple("Row", FIELDS)

NEW_FIELDS = (
    "unit",
    "device_id",
    "name",
    "prefix_name",
    "device_type",
    "sub_type",
    "switch_type",
    "n_value",
    "s_value",
    "signal_level",
    "battery_level",
    "image",
    "used",
    "description",
    "color",
    "options",
)
VALUE_FIELDS = ("n_value", "s_value", "signal_level", "battery_level")


class FakeHub:
    def __init__(self):
        self.records = []
        self.rows = {}
        self.next_id = 7
        self.accepting = True
        self.interval = 10
        self.pending_interval = None
        self.configuration = None
        self.kept_code = None
        self.code_is_closed = False
        self.refuse_configuration = None
        self.refuse_device = None
        self.refuse_connection = None
        self.changes = []
        self.created = []
        self.calls = []
        self.states = {}
        self.notifier = None
        self.commands = []
        self.refuse_command = None
        self.images = {}
        self.archives = []
        self.refuse_image = None

    def module(self):
        """A module object with the functions of the native one."""
        module = types.ModuleType("_cordon")
        for name in dir(self):
            if name == "call" or name.startswith(
                (
                    "log",
                    "heartbeat",
                    "set_",
                    "configuration_",
                    "device",
                    "connection_",
                    "code_",
                    "notifier_",
                    "image",
                )
            ):
                setattr(module, name, getattr(self, name))
        return module

    # Log, heartbeat, configuration.

    def log(self, level, origin, text):
        assert isinstance(text, str), text
        self.records.append((level, origin, text))

    def heartbeat(self):
        return self.interval

    def set_heartbeat(self, seconds):
        self.pending_interval = seconds

    def code_keep(self, source_hash, compiled):
        self.kept_code = (source_hash, compiled)

    def code_closed(self):
        self.code_is_closed = True

    def configuration_load(self):
        return self.configuration

    def configuration_store(self, text):
        json.loads(text)
        if self.refuse_configuration is None:
            self.configuration = text
        return self.refuse_configuration

    # Devices.

    def _row(self, row):
        # Alphabetical, and empty values vanish (rule 42).
        options = sorted((k, v) for k, v in row["options"] if v)
        return Row(**{**row, "options": options})

    def devices_list(self):
        return [self._row(row) for row in self.rows.values()]

    def device_get(self, device_id, unit):
        row = self.by_unit(unit, device_id)
        return None if row is None else self._row(row)

    def by_unit(self, unit, device_id=None):
        for row in self.rows.values():
            if row["unit"] == unit and device_id in (None, row["device_id"]):
                return row
        return None

    def device_create(self, new):
        self.created.append(new)
        assert len(new) == len(NEW_FIELDS), new
        if self.refuse_device is not None:
            return self.refuse_device
        row = dict(zip(NEW_FIELDS, new))
        if not self.accepting:
            return (False, "not-accepting")
        legacy = row.pop("prefix_name")
        if self.by_unit(row["unit"], None if legacy else row["device_id"]) is not None:
            return (False, "exists")
        if legacy:
            row["name"] = HARDWARE_NAME + " - " + row["name"]
        return (True, self._row(self.insert(**row)))

    def insert(self, **values):
        """A row with defaults for the rest."""
        row = dict.fromkeys(FIELDS, 0)
        row.update(
            device_id="",
            name="",
            s_value="",
            description="",
            color="",
            options=[],
            signal_level=12,
            battery_level=255,
            id=self.next_id,
            last_update=UPDATED,
            adjustment=0.0,
            multiplier=1.0,
        )
        row.update(values)
        self.rows[row["id"]] = row
        self.next_id += 1
        return row

    def device_update(self, number, change):
        self.changes.append((number, dict(change)))
        if self.refuse_device is not None:
            return self.refuse_device
        row = self.rows.get(number)
        if row is None:
            return (False, "missing")
        for kind in ("value", "silent_value"):
            if kind in change:
                row.update(zip(VALUE_FIELDS, change[kind]))
        for name, value in change.items():
            if name not in ("value", "silent_value", "timed_out"):
                assert name in FIELDS, name
                row[name] = value
        return (True, self._row(row))

    def device_delete(self, number):
        if self.rows.pop(number, None) is None:
            return (False, "missing")
        return (True,)

    def device_touch(self, number):
        row = self.rows.get(number)
        if row is None:
            return (False, "missing")
        row["last_update"] = "2026-11-21 02:04:00"
        return (True, self._row(row))

    # Notifications and images.

    def notifier_register(self, name):
        self.notifier = name

    def call(self, name, arguments):
        if self.refuse_command is not None:
            return self.refuse_command
        self.commands.append((name, json.loads(arguments)))
        return None, ""

    def images_list(self):
        return list(self.images.values())

    def image_create(self, archive):
        """The archive of a test is the lines of its icons.txt."""
        self.archives.append(archive)
        if self.refuse_image is not None:
            return self.refuse_image
        made = []
        for line in archive.decode().splitlines():
            base, name, description = line.split(";")
            number = 101 + len(self.images)
            self.images[number] = (number, base, name, description)
            made.append(self.images[number])
        return (True, *made)

    def image_delete(self, number):
        if self.images.pop(number, None) is None:
            return (False, "missing")
        return (True,)

    # Connections.

    def connection_connect(self, number, endpoint, timeout):
        self.calls.append(("connect", number, endpoint, timeout))
        return self.refuse_connection

    def connection_listen(self, number, endpoint):
        self.calls.append(("listen", number, endpoint))
        return self.refuse_connection

    def connection_send(self, number, endpoint, message, delay):
        self.calls.append(("send", number, endpoint, message, delay))
        return self.refuse_connection

    def connection_disconnect(self, number):
        self.calls.append(("disconnect", number))
        return self.refuse_connection

    def connection_release(self, number):
        self.calls.append(("release", number))

    def connection_status(self, number):
        return self.states.get(number)
