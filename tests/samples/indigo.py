"""Runs Indigo bundles that others published, and tells how far each gets without its device.

`indigo.toml` lists them. A bundle is copied, its packages are installed with `cordon install`, and a few lines go to the
end of the copy's plugin.py which log when `startup` and the action callbacks are entered and how they end; then it runs
in a hub of its own, beside the few devices of `house.indigoPlugin`. A device of each of its types is made through the
dialogs of the API, and each is commanded once; the SDK's examples are made to do all that they can.
"""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

from bundle import PROBE, bundle_id, code_folder, configure, fits, rename
from command import outcomes, usual
from dialog import Dialog, told
from hub import Failed, Site
from peers import Peers

KEY = "the key of the samples"


class Bundle:
    """One bundle and its fate."""

    def __init__(self, arguments, plugin):
        self.arguments = arguments
        self.plugin = plugin
        folder = os.path.basename(plugin["bundle"])
        several = plugin.get("several", False)
        self.name = plugin["repo"] + (
            ", " + folder.removesuffix(".indigoPlugin") if several else ""
        )
        self.loads = self.start = self.devices = self.dialogs = self.commands = self.stops = "-"
        self.survives = "no"
        self.states = self.actions = self.menu = self.replies = "-"
        self.heard = "-"
        self.opened = [0, 0]
        self.seen = {}
        self.changed = set()
        self.results = []
        self.reason = ""
        self.lines = []

    def run(self):
        site = Site(self.arguments.cordon, None)
        self.peers = Peers([])
        try:
            self.peers = Peers(self.plugin.get("peers", []))
            self.values = {
                name: self.peers.fill(value) if isinstance(value, str) else value
                for name, value in self.plugin.get("values", {}).items()
            }
            source = os.path.join(
                self.arguments.checkouts, self.plugin["repo"], self.plugin["bundle"]
            )
            # Some look their own files up by the name of their bundle.
            name = os.path.splitext(os.path.basename(os.path.normpath(source)))[0] + ".indigoPlugin"
            bundle = os.path.join(site.folder, "plugins", name)
            shutil.copytree(source, bundle, symlinks=True, ignore=shutil.ignore_patterns(".git"))
            if self.install(bundle):
                self.try_out(site, bundle)
        except (Failed, OSError, subprocess.TimeoutExpired) as failure:
            self.because(str(failure))
        finally:
            self.lines += site.lines
            site.remove()
            self.peers.stop()
        return self

    def install(self, bundle):
        """Whether its packages are there."""
        contents = os.path.join(bundle, "Contents")
        wanted = os.path.exists(os.path.join(contents, "Server Plugin", "requirements.txt"))
        packages = self.plugin.get("packages", [])
        if not packages and not wanted:
            return True
        command = (
            [self.arguments.cordon, "install", bundle] + self.plugin.get("install", []) + packages
        )
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        self.lines += (done.stdout + done.stderr).splitlines()
        if done.returncode:
            self.loads = "no"
            self.because("packages: " + done.stderr.strip().splitlines()[-1].strip())
        return done.returncode == 0

    def try_out(self, site, bundle):
        contents = os.path.join(bundle, "Contents")
        code = code_folder(contents)
        with open(os.path.join(code, "plugin.py"), "a", encoding="utf-8") as file:
            file.write(PROBE)
        neighbours = [os.path.join(os.path.dirname(__file__), "house.indigoPlugin")]
        neighbours += [
            os.path.join(self.arguments.checkouts, it) for it in self.plugin.get("beside", [])
        ]
        for number, neighbour in enumerate(neighbours):
            copy = os.path.join(site.folder, "plugins", "Beside%d.indigoPlugin" % number)
            shutil.copytree(neighbour, copy)
            rename(os.path.join(copy, "Contents"), self.plugin.get("beside-ids", {}))
            site.sections.append('[[indigo]]\nbundle = "Beside%d.indigoPlugin"\n' % number)
        grants = self.peers.fill(self.plugin.get("grants", 'network = ["127.0.0.1:*"]'))
        site.sections.append(
            '[[indigo-api.keys]]\nname = "samples"\nkey = "%s"\n[[indigo]]\nbundle = %s\n'
            '%s\ngrants = { %s }\n'
            % (KEY, json.dumps(os.path.basename(bundle)), self.plugin.get("section", ""), grants)
        )
        self.id = bundle_id(contents)
        configure(
            os.path.join(code, "PluginConfig.xml"),
            os.path.join(
                site.folder,
                "data",
                "plugins",
                str(len(neighbours) + 1),
                "Preferences",
                "Plugins",
                self.id + ".indiPref",
            ),
            {name: self.peers.fill(value) for name, value in self.plugin.get("prefs", {}).items()},
        )
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
            self.obey()
            self.act()
        while time.monotonic() < begun + self.arguments.alive:
            time.sleep(1)
            if self.plugin.get("everything"):
                self.look()
        if self.seen:
            self.states += " and %d of %d" % (len(self.changed), len(self.seen))
        calm = self.own_facts()["isRunning"] and not site.said("started again")
        self.survives = "yes" if calm else "no"
        if not calm:
            self.because(last_error(site.lines))
        expected = self.plugin.get("told", [])
        told_so = sum(
            site.said(it) or any(it in result for result in self.results) for it in expected
        )
        self.heard = "%d of %d" % (told_so, len(expected)) if expected else "none"
        self.dialogs = "%d of %d" % tuple(self.opened) if self.opened[1] else "none"
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
            if (
                self.site.said("could not be")
                or self.site.said("is not started")
                or self.site.said("started again in")
            ):
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
        return next(
            it for it in self.ask("GET", "/cordon/indigo/plugins")[1] if it["pluginId"] == self.id
        )

    def own_devices(self):
        return [
            it for it in self.ask("GET", "/v2/api/indigo.devices")[1] if it["pluginId"] == self.id
        ]

    def dialog(self, execute=False, **subject):
        """Opens a dialog, fills it in as a user without a device would, saves it, and returns the answer."""
        kind = subject.get("typeId", subject["kind"])
        dialog = Dialog(
            self.ask,
            kind,
            self.values,
            self.peers.places.get("sink", "9999"),
            dict(subject, pluginId=self.id),
        )
        if not dialog.shown:
            return None, dialog.failure
        refused = self.refuse(dialog, kind)
        for attempt in range(4):
            dialog.fill(attempt)
            if attempt == 0 and self.plugin.get("everything"):
                for button in dialog.buttons():
                    self.count(
                        self.opened, dialog.press(button), "%s: %s" % (button, dialog.failure)
                    )
                dialog.fill(attempt)
            saved = dialog.save(execute)
            if saved is not None:
                self.results.append(json.dumps(saved.get("result")))
                self.count(self.opened, refused, "%s takes what it should refuse" % kind)
                return saved, ""
            if "dialog refused" not in dialog.failure:
                return None, dialog.failure
            # Items that have to be chosen into a list are often added by a button.
            for button in dialog.buttons("^add"):
                dialog.fill(attempt)
                dialog.press(button)
        dialog.close()
        return None, dialog.failure

    def refuse(self, dialog, kind):
        """Whether values that the plugin has to refuse are refused, with an error at their field."""
        wrong = self.plugin.get("invalid", {}).get(kind)
        if not wrong:
            return True
        before, dialog.given = dialog.given, dict(dialog.given, **wrong)
        dialog.fill()
        saved = dialog.save(False)
        dialog.given = before
        return saved is None and all(dialog.shown["errors"].get(name) for name in wrong)

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
        self.devices = (
            "%d of %d%s" % (made, len(types), more)
            if types
            else "%d" % added
            if added
            else "no type"
        )

    def factory(self):
        """Presses each button that adds a device; how many devices there are then."""
        before = len(self.own_devices())
        status, shown = self.ask(
            "POST",
            "/cordon/indigo/dialogs",
            {"kind": "factory", "pluginId": self.id, "deviceIds": []},
        )
        if status < 300:
            path = "/cordon/indigo/dialogs/" + shown["dialog"]
            for field in shown["fields"]:
                if field["type"] == "button" and re.search(
                    "add|create", field["id"], re.IGNORECASE
                ):
                    self.ask("POST", path + "/press", {"field": field["id"], "values": {}})
            self.ask("POST", path + "/save", {"values": {}})
        return len(self.own_devices()) - before

    def command(self):
        """Commands each device once: how many commands the plugin ended without raising."""
        asked = raised = lost = unknown = 0
        own = [
            action
            for action in self.facts["actions"]
            if (action["deviceFilter"] or "").startswith("self")
            and not action["separator"]
            and not action["hidden"]
        ]
        for device in self.own_devices():
            before = len(self.site.lines)
            name, parameters, possible = usual(device)
            action = next((it for it in own if fits(device, it["deviceFilter"], self.id)), None)
            if (
                name == "device.statusRequest"
                and action
                and not (possible and device["class"] == "indigo.SensorDevice")
            ):
                asked += 1
                saved, failure = self.dialog(
                    True, kind="action", typeId=action["id"], objectId=device["id"]
                )
                raised += "raised" in failure
                lost += saved is None and "raised" not in failure
                self.because(failure and "%s: %s" % (action["id"], failure))
                continue
            if not possible:
                unknown += 1
                continue
            asked += 1
            status, answer = self.ask(
                "POST",
                "/v2/api/command",
                {"message": "indigo." + name, "objectId": device["id"], "parameters": parameters},
            )
            if status != 200:
                lost += 1
                self.because("%s: %s" % (name, told(answer)))
                continue
            ended = self.ended(before)
            raised += ended == "raises"
            without = ended == "nothing" and any(
                "plugin has no action" in it for it in self.site.lines[before:]
            )
            # Nobody can give such a device a command: it is one that only shows something.
            none = without and name == "device.statusRequest"
            unknown += none
            asked -= none
            lost += ended == "nothing" and not none
        if asked or unknown:
            good = "%d of %d" % (asked - raised - lost, asked) if asked else "takes none"
            words = (
                (raised, "raise"),
                (lost, "unanswered"),
                (unknown if asked else 0, "take none"),
            )
            self.commands = good + "".join(
                ", %d %s" % (number, word) for number, word in words if number
            )

    def obey(self):
        """Gives the devices of an example commands whose outcome is known; counts those that lead to it."""
        states = [0, 0]
        for device in self.own_devices():
            for name, parameters, attribute, value in outcomes(device):
                self.ask(
                    "POST",
                    "/v2/api/command",
                    {
                        "message": "indigo." + name,
                        "objectId": device["id"],
                        "parameters": parameters,
                    },
                )
                end = time.monotonic() + 5
                now = None
                while time.monotonic() < end:
                    now = self.ask("GET", "/v2/api/indigo.devices/%d" % device["id"])[1].get(
                        attribute
                    )
                    if now == value or str(now).endswith("." + str(value)):
                        break
                    time.sleep(0.05)
                good = now == value or str(now).endswith("." + str(value))
                self.count(
                    states,
                    good,
                    "%s of %s leaves %s at %s" % (name, device["name"], attribute, now),
                )
        self.states = "%d of %d" % tuple(states) if states[1] else "none"

    def look(self):
        """Notes the devices whose states have changed since the beginning."""
        for device in self.own_devices():
            if self.seen.setdefault(device["id"], device.get("states")) != device.get("states"):
                self.changed.add(device["id"])

    def ended(self, before):
        """How the callback of a command ended; a plugin may be busy with something else before."""
        end = time.monotonic() + 30
        name = None
        while time.monotonic() < end:
            for it in self.site.lines[before:]:
                probe = re.search("probe: (action .+?) (enters|returns|raises)", it)
                # One callback may call another one; the first that entered tells how the command ended.
                name = name or (probe and probe.group(1))
                if probe and probe.group(1) == name and probe.group(2) == "returns":
                    return "returns"
                if probe and probe.group(1) == name and probe.group(2) == "raises":
                    self.because(it.split(" raises ", 1)[1])
                    return "raises"
                if not name and "the plugin has no action" in it:
                    return "nothing"
            time.sleep(0.1)
        return "nothing"

    def act(self):
        """Executes each action and each menu item through its dialog, and asks for the pages that are listed."""
        done = {"actions": [0, 0], "menu": [0, 0], "replies": [0, 0]}
        devices = self.ask("GET", "/v2/api/indigo.devices")[1]
        for action in self.facts["actions"]:
            if action["separator"] or action["hidden"]:
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
                self.count(
                    done["menu"],
                    *self.outcome(self.dialog(kind="menu", typeId=item["id"]), item["id"]),
                )
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


def first(lines, marker):
    return next((it.split(marker, 1)[1] for it in lines if marker in it), "")


def last_error(lines, nothing="it did not start"):
    """The exception that ended it, else the log's last error."""
    raised = [
        it.strip()
        for it in lines
        if re.match(r"    (\w+\.)*\w*(Error|Exception|Exit|Interrupt)(: |$)", it)
    ]
    errors = [
        it.split("  Error: ", 1)[1] for it in lines if "  Error: " in it and not it.endswith(":")
    ]
    return (raised or errors or [nothing])[-1]
