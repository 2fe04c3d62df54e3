#!/usr/bin/env python3
"""Runs plugins that others published, and tells how far each gets without its device.

`plugins.toml` lists those for Domoticz, `indigo.toml` those for Indigo (see `indigo.py`). A plugin is copied, its packages are installed with `cordon install`, and a few lines go to
the end of the copy's plugin.py which log when a callback is entered and how it ends; then it runs in a hub of its own,
with every switch and set point of it commanded once. Ends with failure only when a hub does not survive its plugin.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "examples"))

import indigo
import table as tables
from hub import Failed, Site
from together import together

PROBE = '''


def _probed(name, callback, log):
    def probed(*args):
        log("probe: %s enters" % name)
        try:
            callback(*args)
        except BaseException as failure:
            log("probe: %s raises %s: %s" % (name, type(failure).__name__, failure))
            raise
        log("probe: %s returns" % name)
    return probed


def _probe(api):
    for name in ("onStart", "onHeartbeat", "onCommand"):
        if callable(globals().get(name)):
            globals()[name] = _probed(name, globals()[name], api.Log)
    # Of the extended framework: methods that are called instead.
    for kind in list(globals().values()):
        if isinstance(kind, type) and issubclass(kind, (api.Device, getattr(api, "Unit", api.Device))):
            if "onCommand" in vars(kind):
                kind.onCommand = _probed("onCommand", kind.onCommand, api.Log)


_probe(__import__("MODULE"))
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cordon", required=True, help="the program `cordon`")
    parser.add_argument(
        "--checkouts",
        required=True,
        help="folder with a checkout at OWNER/NAME for each repository",
    )
    parser.add_argument("--table", help="Markdown file whose table is written anew")
    parser.add_argument("--examples-table", help="the same for the examples of Indigo's SDK")
    parser.add_argument("--logs", help="folder for the log of each hub")
    parser.add_argument("--only", choices=("domoticz", "indigo"), help="plugins of one platform")
    parser.add_argument(
        "--alive", type=float, default=30, help="time for which an Indigo plugin runs"
    )
    parser.add_argument(
        "--seconds", type=float, default=25, help="time for onStart and a heartbeat"
    )
    parser.add_argument("--at-once", type=int, default=6, help="hubs at the same time")
    parser.add_argument(
        "names", nargs="*", help="only repositories whose name contains one of these"
    )
    arguments = parser.parse_args()
    if arguments.only != "indigo":
        domoticz(arguments)
    if arguments.only != "domoticz":
        bundles(arguments)
    seen = (
        together(arguments, PROBE.replace("MODULE", "Domoticz"), parameters)
        if not arguments.names
        else None
    )
    if seen:
        print("together:\n  " + "\n  ".join(seen))
    return int(bool(seen and seen[0].startswith("failed")))


def domoticz(arguments):
    outcomes = run(arguments, "plugins.toml", "plugin", Sample)
    head = [
        "| Plugin | Commit | loads | onStart | heartbeat | commands | survives | What stops it |",
        "|---|---|---|---|---|---|---|---|",
    ]
    table = "\n".join(head + [outcome.row() for outcome in outcomes])
    print(table)
    started = sum(outcome.start == "yes" for outcome in outcomes)
    alive = sum(outcome.survives == "yes" for outcome in outcomes)
    print(
        "\nsample plugins: %d; onStart returns in %d, %d survive a heartbeat and every command"
        % (len(outcomes), started, alive)
    )
    if arguments.table and not arguments.names:
        write(arguments.table, "table", table)


def bundles(arguments):
    outcomes = run(arguments, "indigo.toml", "bundle", indigo.Bundle)
    examples = [outcome for outcome in outcomes if outcome.plugin.get("everything")]
    table = "\n".join(
        tables.HEAD + [tables.row(outcome) for outcome in outcomes] + ["", tables.summary(outcomes)]
    )
    example_table = "\n".join(
        tables.EXAMPLE_HEAD + [tables.example_row(outcome) for outcome in examples]
    )
    print("%s\n\n%s\n" % (table, example_table))
    for name in tables.outdated(outcomes):
        print("%s gets everywhere: its `why` in indigo.toml is no longer true" % name)
    if arguments.table and not arguments.names and outcomes:
        write(arguments.table, "indigo table", table)
    if arguments.examples_table and not arguments.names and examples:
        write(arguments.examples_table, "indigo table", example_table)


def run(arguments, list_file, kind, sample):
    """Runs those of a list that are there; prints the logs where some were named."""
    with open(os.path.join(os.path.dirname(__file__), list_file), "rb") as file:
        plugins = tomllib.load(file)[kind]
    if arguments.names:
        plugins = [
            plugin
            for plugin in plugins
            if any(
                name in plugin["repo"] + "/" + plugin.get("bundle", "") for name in arguments.names
            )
        ]
    there = [
        plugin
        for plugin in plugins
        if os.path.isdir(os.path.join(arguments.checkouts, plugin["repo"]))
    ]
    for plugin in plugins:
        if plugin not in there:
            print("not checked out: " + plugin["repo"])
    with concurrent.futures.ThreadPoolExecutor(arguments.at_once) as pool:
        outcomes = list(pool.map(lambda plugin: sample(arguments, plugin).run(), there))
    for outcome in outcomes:
        if arguments.logs:
            os.makedirs(arguments.logs, exist_ok=True)
            with open(
                os.path.join(arguments.logs, outcome.name.replace("/", "+") + ".log"), "w"
            ) as file:
                file.write("\n".join(outcome.lines) + "\n")
        if arguments.names:
            print("== %s\n%s\n" % (outcome.name, "\n".join(outcome.lines)))
    return outcomes


class Sample:
    """One plugin and its fate."""

    def __init__(self, arguments, plugin):
        self.arguments = arguments
        self.plugin = plugin
        self.path = plugin.get("path", "plugin.py")
        folder = os.path.dirname(self.path)
        self.name = plugin["repo"] + (", " + folder if folder else "")
        self.loads = self.start = self.heartbeat = self.commands = "-"
        self.survives = "no"
        self.reason = ""
        self.lines = []

    def run(self):
        site = Site(self.arguments.cordon, None)
        try:
            folder = os.path.join(site.folder, "plugins", "sample")
            source = os.path.join(
                self.arguments.checkouts, self.plugin["repo"], os.path.dirname(self.path)
            )
            shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".git"))
            if self.install(folder):
                self.try_out(site, folder)
        except Failed as failure:
            self.reason = self.reason or str(failure)
        finally:
            self.lines += site.lines
            site.remove()
        return self

    def install(self, folder):
        """Whether its packages are there."""
        packages = self.plugin.get("packages", [])
        if not packages:
            return True
        command = (
            [self.arguments.cordon, "install", folder] + self.plugin.get("install", []) + packages
        )
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        self.lines += (done.stdout + done.stderr).splitlines()
        if done.returncode:
            self.loads = "no"
            self.reason = "packages: " + done.stderr.strip().splitlines()[-1]
        return done.returncode == 0

    def try_out(self, site, folder):
        path = os.path.join(folder, "plugin.py")
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        extended = re.search(r"^\s*(import|from)\s+DomoticzEx", text, re.MULTILINE)
        with open(path, "a", encoding="utf-8") as file:
            file.write(PROBE.replace("MODULE", "DomoticzEx" if extended else "Domoticz"))
        site.add(
            "Sample",
            folder,
            parameters(text, self.plugin.get("parameters", {})),
            self.plugin.get("section", "") + '\ngrants = { network = ["127.0.0.1:*"] }\n',
        )
        site.start()
        self.begin(site)
        if self.start in ("-", "no"):
            return
        self.beat(site)
        self.command(site)
        state = site.api(param="gethardware")["result"][0].get("State", "")
        calm = state == "running" and not site.said("started again")
        beats = self.heartbeat in ("yes", "none")
        commanded = "no answer" not in self.commands
        self.survives = "yes" if calm and beats and commanded else "no"
        if not calm:
            self.reason = self.reason or "it was ended: " + state
        site.stop()

    def begin(self, site):
        end = time.monotonic() + self.arguments.seconds
        while time.monotonic() < end:
            if site.said("could not be imported") or site.said("is not started"):
                # The traceback follows the first line.
                time.sleep(1)
                self.loads = "no"
                self.reason = last_error(site.lines)
                return
            if site.said("probe: onStart raises"):
                self.loads, self.start = "yes", "raises"
                self.reason = first(site.lines, "probe: onStart raises ")
                return
            if site.said("probe: onStart returns"):
                self.loads, self.start = "yes", "yes"
                return
            time.sleep(0.1)
        entered = site.said("probe: onStart enters")
        self.loads = "yes" if entered else "-"
        self.start = "does not return" if entered else "-"

    def beat(self, site):
        end = time.monotonic() + self.arguments.seconds
        while time.monotonic() < end:
            for word, state in (("returns", "yes"), ("raises", "raises")):
                if site.said("probe: onHeartbeat " + word):
                    self.heartbeat = state
                    self.reason = self.reason or first(site.lines, "probe: onHeartbeat raises ")
                    return
            time.sleep(0.1)
        self.heartbeat = "none"

    def command(self, site):
        """Commands each switch and each set point."""
        devices = site.devices().values()
        asked = raised = lost = 0
        for device in devices:
            if device["Type"] in ("Light/Switch", "Color Switch", "Lighting 2"):
                level = device.get("SwitchType") in ("Dimmer", "Selector")
                words = {"switchcmd": "Set Level", "level": 10} if level else {"switchcmd": "On"}
                words = dict(words, param="switchlight")
            elif device["Type"] in ("Setpoint", "Thermostat"):
                words = {"param": "setsetpoint", "setpoint": "20.5"}
            else:
                continue
            before = len(site.lines)
            answer = site.api(idx=device["idx"], **words)
            if answer.get("status") != "OK":
                lost += 1
                self.reason = self.reason or answer.get("message", "a command was refused")
                continue
            asked += 1
            try:
                place = site.place("probe: onCommand enters", before, 15)
                while not any(
                    word in site.lines[place] for word in ("onCommand returns", "onCommand raises")
                ):
                    place = site.place("probe: onCommand", place + 1, 15)
                if "raises" in site.lines[place]:
                    raised += 1
                    self.reason = self.reason or first(site.lines, "probe: onCommand raises ")
            except Failed:
                lost += 1
        if asked or lost:
            self.commands = (
                "%d" % asked
                + (", %d raise" % raised if raised else "")
                + (", %d no answer" % lost if lost else "")
            )
        else:
            self.commands = "no switch" if len(devices) else "no device"

    def row(self):
        reason = self.reason.replace("|", "\\|")[:160]
        cells = (
            self.name,
            self.plugin["commit"],
            self.loads,
            self.start,
            self.heartbeat,
            self.commands,
            self.survives,
            reason,
        )
        return "| %s |" % " | ".join(cells)


def parameters(text, given):
    """The settings that an operator has to fill in."""
    values = {}
    for tag in re.findall(r"<param\s[^>]*>", text):
        attribute = dict(re.findall(r'(\w+)\s*=\s*"([^"]*)"', tag))
        field = attribute.get("field", "")
        if field == "Address":
            values[field] = "127.0.0.1"
        elif field == "Port":
            values[field] = "9999"
        elif attribute.get("required") == "true" and not attribute.get("default"):
            values[field] = "1"
    return dict(values, **given)


def first(lines, marker):
    """The text after the marker in the first line with it."""
    return next((line.split(marker, 1)[1] for line in lines if marker in line), "")


def last_error(lines):
    errors = [line.split("Error: ", 1)[1] for line in lines if "Error: " in line]
    told = [error for error in errors if re.match(r"Sample: \w+(Error|Exception|Exit)\b", error)]
    return (told or errors or ["it did not start"])[-1].replace("Sample: ", "", 1)


def write(path, name, table):
    """Puts the table in place of the one in the file."""
    begin, end = "<!-- %s -->\n" % name, "<!-- end of %s -->" % name
    with open(path) as file:
        before, rest = file.read().split(begin, 1)
        after = rest.split(end, 1)[1]
    with open(path, "w") as file:
        file.write("%s%s%s\n%s%s" % (before, begin, table, end, after))


if __name__ == "__main__":
    sys.exit(main())
