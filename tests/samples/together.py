"""Plugins of both hubs in one: bundles of Indigo's SDK and a Domoticz plugin, as they were published.

A bundle hears another one's broadcasts; a trigger on a device of one executes the action of another; meanwhile the
Domoticz plugin has its heartbeats.
"""

import json
import os
import shutil
import urllib.request

from bundle import bundle_id, rename
from hub import Failed, Site

KEY = "the key of the samples"
SDK = "IndigoDomotics/IndigoSDK"
DOMOTICZ = "galadril/Domoticz-Python-Plugin-Template"
RELAYS = "Example Device - Relay and Dimmer"
ACTIONS = "Example Action API"
BUNDLES = (RELAYS, ACTIONS, "Example Custom Broadcaster", "Example Custom Subscriber")


def together(arguments, probe, parameters):
    """The observations, step by step, or the missing one; None without the checkouts."""
    folders = [os.path.join(arguments.checkouts, it) for it in (SDK, DOMOTICZ)]
    if not all(map(os.path.isdir, folders)):
        return None
    site = Site(arguments.cordon, None)
    try:
        prepare(site, *folders, probe, parameters)
        return list(steps(site))
    except (Failed, OSError) as failure:
        return ["failed: %s" % failure, *site.lines]
    finally:
        site.remove()


def prepare(site, sdk, domoticz, probe, parameters):
    folder = os.path.join(site.folder, "plugins", "theirs")
    shutil.copytree(domoticz, folder, ignore=shutil.ignore_patterns(".git"))
    with open(os.path.join(folder, "plugin.py"), "r+", encoding="utf-8") as file:
        text = file.read()
        file.write(probe)
    site.add("Theirs", folder, parameters(text, {}))
    site.sections.append('[[indigo-api.keys]]\nname = "samples"\nkey = "%s"\n' % KEY)
    for name in BUNDLES:
        copy = os.path.join(site.folder, "plugins", name + ".indigoPlugin")
        shutil.copytree(os.path.join(sdk, name + ".indigoPlugin"), copy)
        # The subscriber expects the broadcaster under another id than it was published with.
        rename(
            os.path.join(copy, "Contents"),
            {
                "com.example.indigoplugin.custom-broadcaster": "com.perceptiveautomation.indigoplugin.custom-broadcaster"
            },
        )
        site.sections.append("[[indigo]]\nbundle = %s\n" % json.dumps(name + ".indigoPlugin"))


def steps(site):
    site.start()

    def ask(method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json"}
        request = urllib.request.Request(site.address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    site.line("received colorChanged message")
    yield "%s hears %s" % (BUNDLES[3], BUNDLES[2])
    ids = {
        name: bundle_id(os.path.join(site.folder, "plugins", name + ".indigoPlugin", "Contents"))
        for name in BUNDLES
    }
    dialog = ask(
        "POST",
        "/cordon/indigo/dialogs",
        {"pluginId": ids[RELAYS], "kind": "device", "typeId": "myRelayType", "name": "Hall"},
    )
    device = ask("POST", "/cordon/indigo/dialogs/%s/save" % dialog["dialog"], {})["objectId"]
    action = {
        "class": "indigo.PluginAction",
        "pluginId": ids[ACTIONS],
        "pluginTypeId": "get_device_info",
        "deviceId": device,
        "props": {"format": "json"},
    }
    ask(
        "POST",
        "/cordon/indigo/command",
        {
            "command": "devStateChange.create",
            "arguments": {
                "name": "the hall is lit",
                "deviceId": device,
                "stateSelector": "OnOffState",
                "stateChangeType": "BecomesTrue",
                "actions": [action],
            },
        },
    )
    ask("POST", "/v2/api/command", {"message": "indigo.device.turnOn", "objectId": device})
    site.line('sent "Hall" on')
    site.line("Device details for device 'Hall'")
    yield "a trigger on a device of %s executes the action of %s" % (RELAYS, ACTIONS)
    site.line("Theirs: probe: onStart returns")
    site.line("Theirs: probe: onHeartbeat returns")
    yield "%s has its heartbeats beside them" % DOMOTICZ
    site.stop()
    if site.process.returncode or site.said("could not be"):
        raise Failed("the hub ended with %s" % site.process.returncode)
    yield "all of them end"
