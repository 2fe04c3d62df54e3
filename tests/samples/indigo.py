"""Runs Indigo bundles that others published, and tells how far each gets without its device.

`indigo.toml` lists them. A bundle is copied, its packages are installed with `cordon install`, and a few lines go to the
end of the copy's plugin.py which log when `startup` and the action callbacks are entered and how they end; then it runs
in a hub of its own, beside the few devices of `house.indigoPlugin`. A device of each of its types is made through the
dialogs of the API, and each is commanded once.
"""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree

from hub import Failed, Site

KEY = "the key of the samples"
PROBE = '''


def _probe():
    import functools

    def probed(name, callback):
        @functools.wraps(callback)
        def probed(*args, **words):
            indigo.server.log("probe: %s enters" % name)
            try:
                result = callback(*args, **words)
            except BaseException as failure:
                indigo.server.log("probe: %s raises %s: %s" % (name, type(failure).__name__, failure))
                raise
            indigo.server.log("probe: %s returns" % name)
            return result
        return probed

    for kind in list(globals().values()):
        if isinstance(kind, type) and issubclass(kind, indigo.PluginBase) and kind is not indigo.PluginBase:
            kind.startup = probed("startup", kind.startup)
            for name, callback in list(vars(kind).items()):
                if name.startswith("actionControl"):
                    setattr(kind, name, probed("action " + name, callback))


import indigo
_probe()
'''

# What a device is told, by its class; one of another class gets its own action or a status request.
COMMANDS = {
    "indigo.RelayDevice": ("device.turnOn", {}),
    "indigo.DimmerDevice": ("dimmer.setBrightness", {"value": 50}),
    "indigo.ThermostatDevice": ("thermostat.setHeatSetpoint", {"value": 20.5}),
    "indigo.SpeedControlDevice": ("speedcontrol.setSpeedIndex", {"value": 1}),
    "indigo.SprinklerDevice": ("sprinkler.setActiveZone", {"index": 1}),
    "indigo.SensorDevice": ("device.statusRequest", {}),
}


class Bundle:
    """One bundle and what became of it."""

    def __init__(self, arguments, plugin):
        self.arguments = arguments
        self.plugin = plugin
        folder = os.path.basename(plugin["bundle"])
        several = plugin.get("several", False)
        self.name = plugin["repo"] + (", " + folder.removesuffix(".indigoPlugin") if several else "")
        self.loads = self.start = self.devices = self.commands = self.stops = "-"
        self.survives = "no"
        self.states = self.actions = self.menu = self.replies = "-"
        self.heard = "-"
        self.results = []
        self.reason = ""
        self.lines = []

    def run(self):
        site = Site(self.arguments.cordon, None)
        try:
            bundle = os.path.join(site.folder, "plugins", "Sample.indigoPlugin")
            source = os.path.join(self.arguments.checkouts, self.plugin["repo"], self.plugin["bundle"])
            shutil.copytree(source, bundle, symlinks=True, ignore=shutil.ignore_patterns(".git"))
            if self.install(bundle):
                self.try_out(site, bundle)
        except (Failed, OSError, subprocess.TimeoutExpired) as failure:
            self.because(str(failure))
        finally:
            self.lines += site.lines
            site.remove()
        return self

    def install(self, bundle):
        """Whether its packages are there."""
        contents = os.path.join(bundle, "Contents")
        wanted = os.path.exists(os.path.join(contents, "Server Plugin", "requirements.txt"))
        packages = self.plugin.get("packages", [])
        if not packages and not wanted:
            return True
        command = [self.arguments.cordon, "install", bundle] + self.plugin.get("install", []) + packages
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        self.lines += (done.stdout + done.stderr).splitlines()
        if done.returncode:
            self.loads = "no"
            self.because("packages: " + done.stderr.strip().splitlines()[-1].strip())
        return done.returncode == 0

    def try_out(self, site, bundle):
        contents = os.path.join(bundle, "Contents")
        code = next(name for name in os.listdir(contents) if name.lower() == "server plugin")
        with open(os.path.join(contents, code, "plugin.py"), "a", encoding="utf-8") as file:
            file.write(PROBE)
        neighbours = [os.path.join(os.path.dirname(__file__), "house.indigoPlugin")]
        neighbours += [os.path.join(self.arguments.checkouts, it) for it in self.plugin.get("beside", [])]
        for number, neighbour in enumerate(neighbours):
            copy = os.path.join(site.folder, "plugins", "Beside%d.indigoPlugin" % number)
            shutil.copytree(neighbour, copy)
            rename(os.path.join(copy, "Contents"), self.plugin.get("beside-ids", {}))
            site.sections.append('[[indigo]]\nbundle = "Beside%d.indigoPlugin"\n' % number)
        site.sections.append('[[indigo-api.keys]]\nname = "samples"\nkey = "%s"\n[[indigo]]\nbundle = "Sample.indigoPlugin"\n'
                             '%s\ngrants = { network = ["127.0.0.1:*"] }\n' % (KEY, self.plugin.get("section", "")))
        self.id = bundle_id(contents)
        configure(os.path.join(contents, code, "PluginConfig.xml"), os.path.join(
            site.folder, "data", "plugins", str(len(neighbours) + 1), "Preferences", "Plugins", self.id + ".indiPref"))
        site.start()
        begun = time.monotonic()
        self.site = site
        self.begin()
        if self.start != "yes":
            site.stop()
            return
        self.facts = self.own_facts()
        self.house()
        self.make()
        self.command()
        if self.plugin.get("everything"):
            self.act()
        time.sleep(max(0, begun + self.arguments.alive - time.monotonic()))
        calm = self.own_facts()["isRunning"] and not site.said("started again")
        self.survives = "yes" if calm else "no"
        if not calm:
            self.because(last_error(site.lines))
        expected = self.plugin.get("told", [])
        told_so = sum(site.said(it) or any(it in result for result in self.results) for it in expected)
        self.heard = "%d of %d" % (told_so, len(expected)) if expected else "none"
        began = time.monotonic()
        site.stop()
        ended = site.process.returncode == 0
        self.stops = "yes" if ended and time.monotonic() - began < 25 else "no"
        if site.said("threads still run") or site.said("does not end although it was asked to"):
            self.stops = "leaves threads"
        self.because(last_error(site.lines, ""))

    def because(self, reason):
        self.reason = self.reason or reason

    def begin(self):
        end = time.monotonic() + self.arguments.seconds
        while time.monotonic() < end:
            if self.site.said("probe: startup raises"):
                self.loads, self.start = "yes", "raises"
                self.because(first(self.site.lines, "probe: startup raises "))
                return
            if self.site.said("probe: startup returns"):
                self.loads = self.start = "yes"
                return
            if self.site.said("could not be") or self.site.said("is not started") or self.site.said("started again in"):
                time.sleep(1)
                break
            time.sleep(0.1)
        entered = self.site.said("probe: startup enters")
        self.loads, self.start = ("yes", "no") if entered else ("no", "-")
        self.because(last_error(self.site.lines))

    def ask(self, method, path, body=None):
        """Status and answer; an answer that is not JSON comes as text."""
        headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.site.address + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as failure:
            status, text = failure.code, failure.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text.decode(errors="replace")

    def house(self):
        """Waits for the devices of the house; the one that can be asked for."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for device in self.ask("GET", "/v2/api/indigo.devices")[1]:
                if device["name"] == "House motion":
                    return device["id"]
            time.sleep(0.2)
        raise Failed("the house has no devices")

    def own_facts(self):
        return next(it for it in self.ask("GET", "/cordon/indigo/plugins")[1] if it["pluginId"] == self.id)

    def own_devices(self):
        return [it for it in self.ask("GET", "/v2/api/indigo.devices")[1] if it["pluginId"] == self.id]

    def dialog(self, execute=False, **subject):
        """Opens a dialog, fills it in as a user without a device would, and saves it; what saving answered."""
        status, shown = self.ask("POST", "/cordon/indigo/dialogs", dict(subject, pluginId=self.id))
        if status >= 300:
            return None, told(shown)
        values = {}
        for attempt in range(4):
            values.update(entries(shown, attempt, self.plugin.get("values", {})))
            status, saved = self.ask("POST", "/cordon/indigo/dialogs/%s/save" % shown["dialog"],
                                     {"values": values, "execute": execute})
            if status < 300 and saved.get("saved"):
                self.results.append(json.dumps(saved.get("result")))
                return saved, ""
            if status >= 300:
                return None, told(saved)
            shown = saved
        self.ask("DELETE", "/cordon/indigo/dialogs/" + shown["dialog"])
        return None, "dialog refused: " + json.dumps(shown["errors"] or shown["alert"])

    def make(self):
        """Makes a device of each type that a user may make."""
        types = [kind for kind in self.facts["deviceTypes"] if kind["userMayCreate"]]
        made = added = 0
        for kind in types:
            saved, failure = self.dialog(kind="device", typeId=kind["id"], name="New " + kind["id"])
            made += saved is not None
            if failure:
                self.because("%s: %s" % (kind["id"], failure))
        if self.facts["hasDeviceFactory"]:
            added = self.factory()
        more = " and %d" % added if added else ""
        self.devices = "%d of %d%s" % (made, len(types), more) if types else "%d" % added if added else "no type"

    def factory(self):
        """Presses each button that adds a device; how many devices there are then."""
        before = len(self.own_devices())
        status, shown = self.ask("POST", "/cordon/indigo/dialogs", {"kind": "factory", "pluginId": self.id, "deviceIds": []})
        if status < 300:
            path = "/cordon/indigo/dialogs/" + shown["dialog"]
            for field in shown["fields"]:
                if field["type"] == "button" and re.search("add|create", field["id"], re.IGNORECASE):
                    self.ask("POST", path + "/press", {"field": field["id"], "values": {}})
            self.ask("POST", path + "/save", {"values": {}})
        return len(self.own_devices()) - before

    def command(self):
        """Commands each device once: how many commands the plugin ended without raising."""
        asked = raised = lost = unknown = changed = 0
        own = [action for action in self.facts["actions"]
               if (action["deviceFilter"] or "").startswith("self") and not action["separator"] and not action["hidden"]]
        for device in self.own_devices():
            asked += 1
            before, states = len(self.site.lines), device.get("states")
            name, parameters = COMMANDS.get(device["class"], ("device.statusRequest", {}))
            kind = device.get("deviceTypeId", "")
            action = next((it for it in own if it["deviceFilter"] in ("self", "self." + kind)), None)
            if device["class"] not in COMMANDS and action:
                saved, failure = self.dialog(True, kind="action", typeId=action["id"], objectId=device["id"])
                raised += "raised" in failure
                lost += saved is None and "raised" not in failure
                self.because(failure and "%s: %s" % (action["id"], failure))
            else:
                if (device.get("pluginProps") or {}).get("IsLockSubType"):
                    name = "device.lock"
                status, answer = self.ask("POST", "/v2/api/command",
                                          {"message": "indigo." + name, "objectId": device["id"], "parameters": parameters})
                if status != 200:
                    lost += 1
                    self.because("%s: %s" % (name, told(answer)))
                    continue
                ended = self.ended(before)
                raised += ended == "raises"
                without = ended == "nothing" and any("plugin has no action" in it for it in self.site.lines[before:])
                unknown += without
                lost += ended == "nothing" and not without
            time.sleep(0.3)
            changed += self.ask("GET", "/v2/api/indigo.devices/%d" % device["id"])[1].get("states") != states
        if asked:
            good = "%d of %d" % (asked - raised - lost - unknown, asked)
            words = ((raised, "raise"), (unknown, "without callback"), (lost, "unanswered"))
            self.commands = good + "".join(", %d %s" % (number, word) for number, word in words if number)
            self.states = "%d of %d" % (changed, asked)

    def ended(self, before):
        """How the callback of a command ended."""
        try:
            place = self.site.place("probe: action", before, 4)
            while "enters" in self.site.lines[place]:
                place = self.site.place("probe: action", place + 1, 15)
        except Failed:
            return "nothing"
        if " raises " in self.site.lines[place]:
            self.because(self.site.lines[place].split(" raises ", 1)[1])
            return "raises"
        return "returns"

    def act(self):
        """Executes each action and each menu item through its dialog, and asks for the pages that are listed."""
        done = {"actions": [0, 0], "menu": [0, 0], "replies": [0, 0]}
        devices = self.ask("GET", "/v2/api/indigo.devices")[1]
        for action in self.facts["actions"]:
            if action["separator"]:
                continue
            if action["hidden"]:
                continue
            subject = {"kind": "action", "typeId": action["id"]}
            if action["deviceFilter"]:
                fitting = [it["id"] for it in devices if fits(it, action["deviceFilter"], self.id)]
                if not fitting:
                    continue
                subject["objectId"] = fitting[0]
            self.count(done["actions"], *self.outcome(self.dialog(True, **subject), action["id"]))
        for item in self.facts["menuItems"]:
            if not item["separator"] and not item["url"]:
                self.count(done["menu"], *self.outcome(self.dialog(kind="menu", typeId=item["id"]), item["id"]))
        for page in self.plugin.get("pages", []):
            page = page.replace("HOUSE", str(self.house()))
            status, answer = self.ask("GET", "/message/%s/%s" % (self.id, page))
            self.results.append(json.dumps(answer))
            self.count(done["replies"], status == 200, "%s: %s" % (page, told(answer)))
        for name, (good, all_of_them) in done.items():
            setattr(self, name, "%d of %d" % (good, all_of_them) if all_of_them else "none")

    def outcome(self, answer, name):
        return answer[0] is not None, "%s: %s" % (name, answer[1])

    def count(self, cell, good, failure):
        cell[0] += good
        cell[1] += 1
        if not good:
            self.because(failure)

    def row(self):
        return line(self.name, self.plugin["commit"], self.loads, self.start, self.devices, self.commands, self.survives,
                    self.stops, self.reason)

    def example_row(self):
        return line(self.name.split(", ")[1], self.start, self.devices, self.commands, self.states, self.actions, self.menu,
                    self.replies, self.heard, "yes" if self.survives == self.stops == "yes" else "no", self.reason)


HEAD = ["| Bundle | Commit | loads | starts | devices | commands | survives | stops | What stops it, or its last error |",
        "|---|---|---|---|---|---|---|---|---|"]
EXAMPLE_HEAD = ["| Example | starts | devices | commands | states | actions | menu | HTTP | told | ends well | First trouble |",
                "|---|---|---|---|---|---|---|---|---|---|---|"]


def summary(bundles):
    """What counts, of all and of those that need only pure Python."""
    words = []
    for what, some in (("bundles", bundles),
                       ("bundles that need only pure Python", [it for it in bundles if "needs" not in it.plugin])):
        loads, start, survive, stop = [sum(getattr(it, name) == "yes" for it in some)
                                       for name in ("loads", "start", "survives", "stops")]
        whole = sum(it.survives == it.stops == "yes" and complete(it.devices) and complete(it.commands) for it in some)
        words.append("Of %d %s, %d load, %d start, %d survive 30 seconds, %d stop cleanly; %d do all this with a device of each "
                     "type and every command answered." % (len(some), what, loads, start, survive, stop, whole))
    return "\n".join(words)


def complete(cell):
    """Whether "N of M" is all of them; no device and no type leave nothing out."""
    numbers = re.fullmatch(r"(\d+) of (\d+)( and \d+)?", cell)
    return numbers.group(1) == numbers.group(2) if numbers else cell in ("-", "no type") or cell.isdigit()


def entries(shown, attempt, given):
    """What a user enters: what is empty gets the first choice, or text that fits its name."""
    guesses = ("1", "127.0.0.1", "sample", "00:11:22:33:44:55")
    values = {}
    for field in shown["fields"]:
        name, now = field["id"], shown["values"].get(field["id"])
        if name in given:
            values[name] = given[name]
            continue
        wrong = name in shown["errors"]
        if not field["visible"] or not field["enabled"] or field["readOnly"] or (now not in (None, "", []) and not wrong):
            continue
        if field["type"] in ("menu", "list"):
            choices = [it["value"] for it in field["options"] if it["value"] not in ("", "-1", "0")] or [""]
            value = choices[min(attempt, len(choices) - 1)]
            values[name] = [value] if field["type"] == "list" and value else value
        elif field["type"] == "textfield":
            if re.search("address|host|ip$|^ip|server", name, re.IGNORECASE) and not attempt:
                values[name] = "127.0.0.1"
            elif re.search("port$", name, re.IGNORECASE) and not attempt:
                values[name] = "9999"
            elif wrong or attempt == 0:
                values[name] = guesses[attempt % len(guesses)]
    return values


def fits(device, wanted, own):
    """Whether the action's device filter takes the device; of filters by class only some."""
    if wanted.startswith("self"):
        return device["pluginId"] == own and wanted in ("self", "self." + device["deviceTypeId"])
    return True


def bundle_id(contents):
    with open(os.path.join(contents, "Info.plist"), encoding="utf-8", errors="replace") as file:
        return re.search(r"<key>CFBundleIdentifier</key>\s*<string>\s*([^<]*?)\s*</string>", file.read()).group(1)


def configure(source, path):
    """Writes the preferences that saving the configuration's dialog with its defaults leaves."""
    try:
        fields = xml.etree.ElementTree.parse(source).iter("Field")
    except (OSError, xml.etree.ElementTree.ParseError):
        return
    kinds = ("textfield", "menu", "checkbox", "list")
    values = {field.get("id"): (field.get("type"), field.get("defaultValue", "")) for field in fields
              if field.get("type", "").lower() in kinds and re.fullmatch(r"[A-Za-z_][\w.-]*", field.get("id", ""))}
    prefs = xml.etree.ElementTree.Element("Prefs", type="dict")
    for name, (kind, value) in values.items():
        flag = kind.lower() == "checkbox"
        element = xml.etree.ElementTree.SubElement(prefs, name, type="bool" if flag else "string")
        element.text = str(value.lower() == "true").lower() if flag else value
    os.makedirs(os.path.dirname(path))
    xml.etree.ElementTree.ElementTree(prefs).write(path, "utf-8", xml_declaration=True)


def rename(contents, ids):
    """Gives a bundle the id that another one expects of it."""
    path = os.path.join(contents, "Info.plist")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for old, new in ids.items():
        text = text.replace("<string>%s</string>" % old, "<string>%s</string>" % new)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def told(answer):
    """The last line of what went wrong."""
    if not isinstance(answer, dict):
        return str(answer)
    text = str(answer.get("exception") or answer.get("description") or answer.get("error") or answer)
    return (text.strip().splitlines() or [""])[-1]


def line(*cells):
    return "| %s |" % " | ".join(cell.replace("|", "\\|").replace("\n", " ")[:160] for cell in cells)


def first(lines, marker):
    return next((it.split(marker, 1)[1] for it in lines if marker in it), "")


def last_error(lines, nothing="it did not start"):
    """The exception that ended it, else the log's last error."""
    raised = [it.strip() for it in lines if re.match(r"    (\w+\.)*\w*(Error|Exception|Exit|Interrupt)(: |$)", it)]
    errors = [it.split("  Error: ", 1)[1] for it in lines if "  Error: " in it and not it.endswith(":")]
    return (raised or errors or [nothing])[-1]
