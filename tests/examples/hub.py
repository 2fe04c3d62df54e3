"""A hub of its own for one example: `cordon serve` in a temporary folder, its log and its API."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

# How long a step waits for its event; a heartbeat is ten seconds.
PATIENCE = 45


class Failed(Exception):
    """A step did not have the effect that shows the example at work."""


class Site:
    """Runs the plugins of `sections`, each from a file of the examples."""

    def __init__(self, cordon, examples):
        self.cordon = cordon
        self.examples = examples
        self.folder = tempfile.mkdtemp(prefix="cordon-example-")
        # The keys under [hub].
        self.hub = {"listen": "127.0.0.1:0", "instances": 5}
        self.sections = []
        self.lines = []
        self.changed = threading.Condition()
        self.process = None
        self.address = None

    def plugin(self, name, file, parameters=None, more=""):
        """Adds an instance of the plugin in this file; `more` is TOML of its section. Returns the plugin's folder."""
        folder = os.path.join(self.folder, "plugins", file[: -len(".py")].replace(" ", "_"))
        os.makedirs(folder, exist_ok=True)
        shutil.copy(os.path.join(self.examples, file), os.path.join(folder, "plugin.py"))
        self.add(name, folder, parameters or {}, more)
        return folder

    def add(self, name, folder, parameters, more=""):
        """Adds an instance of the plugin in this folder."""
        values = ", ".join(
            "%s = %s" % (key, json.dumps(value)) for key, value in parameters.items()
        )
        self.sections.append(
            "[[hardware]]\nname = %s\nplugin = %s\nparameters = { %s }\n%s\n"
            % (json.dumps(name), json.dumps(key_of(folder)), values, more)
        )

    def start(self):
        """Starts the hub and waits until its API answers."""
        self.launch()
        self.answers(self.line("ready on http://"))

    def launch(self):
        """Starts the hub and returns at once."""
        config = os.path.join(self.folder, "cordon.toml")
        values = "".join("%s = %s\n" % (key, json.dumps(value)) for key, value in self.hub.items())
        with open(config, "w") as file:
            file.write("[hub]\n" + values + "\n".join(self.sections))
        command = [self.cordon, "serve", "--config", config]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()

    def answers(self, ready):
        """Takes the API's address from the line that tells it."""
        self.address = ready.split("ready on ")[1].strip().rstrip("/")

    def _read(self, process):
        for line in process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append("(the hub has ended)")
            self.changed.notify_all()

    def line(self, text, after=0, patience=PATIENCE):
        """The first line of the log with this text."""
        return self.lines[self.place(text, after, patience)]

    def place(self, text, after=0, patience=PATIENCE):
        """Where it is in the log."""
        end = time.monotonic() + patience
        place = after
        with self.changed:
            while True:
                while place < len(self.lines):
                    if text in self.lines[place]:
                        return place
                    place += 1
                left = end - time.monotonic()
                if left <= 0 or not self.changed.wait(left) and time.monotonic() >= end:
                    raise Failed("no line with %r" % text)

    def said(self, text):
        """Whether a line with this text was logged up to now."""
        with self.changed:
            return any(text in line for line in self.lines)

    def api(self, **words):
        """The answer of `json.htm`."""
        query = urllib.parse.urlencode(
            dict({"type": "command"}, **words), quote_via=urllib.parse.quote
        )
        with urllib.request.urlopen(
            "%s/json.htm?%s" % (self.address, query), timeout=PATIENCE
        ) as answer:
            return json.load(answer)

    def devices(self):
        """The hub's devices by name."""
        answer = self.api(param="getdevices", displayhidden="1", used="all")
        return {device["Name"]: device for device in answer.get("result", [])}

    def device(self, name, patience=PATIENCE, **fields):
        """Waits until the device has these fields; returns it."""
        end = time.monotonic() + patience
        while True:
            device = self.devices().get(name)
            if device and all(device.get(field) == value for field, value in fields.items()):
                return device
            if time.monotonic() > end:
                raise Failed(
                    "device %r with %s; it is %s"
                    % (
                        name,
                        fields,
                        device and {field: device.get(field) for field in list(fields) + ["Data"]},
                    )
                )
            time.sleep(0.1)

    def switch(self, name, order, **words):
        """Gives a device a command."""
        idx = self.devices()[name]["idx"]
        answer = self.api(param="switchlight", idx=idx, switchcmd=order, **words)
        if answer["status"] != "OK":
            raise Failed("switchlight %s %s: %s" % (name, order, answer))

    def stop(self):
        """Stops the hub as an operator does, and waits for its end."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Failed("the hub did not stop") from None
        if self.process:
            self.line("(the hub has ended)")

    def remove(self):
        """Ends the hub in any case and removes its folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def key_of(folder):
    """The key in a plugin's definition."""
    with open(os.path.join(folder, "plugin.py"), encoding="utf-8", errors="replace") as file:
        return re.search(r"""<plugin\s[^>]*?key\s*=\s*["']([^"']*)["']""", file.read()).group(1)
