"""Files of a bundle that is tried out: its id, the preferences it finds, and the lines that log its callbacks."""

import os
import re
import xml.etree.ElementTree

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
            # Some plugins inherit them from classes of other files.
            for name in dir(kind):
                if name.startswith(("actionControl", "action_control")):
                    setattr(kind, name, probed("action " + name, getattr(kind, name)))


import indigo
_probe()
'''


def code_folder(contents):
    """The folder with `plugin.py`, which is spelled in several ways."""
    return os.path.join(
        contents, next(name for name in os.listdir(contents) if name.lower() == "server plugin")
    )


def bundle_id(contents):
    with open(os.path.join(contents, "Info.plist"), encoding="utf-8", errors="replace") as file:
        return re.search(
            r"<key>CFBundleIdentifier</key>\s*<string>\s*([^<]*?)\s*</string>", file.read()
        ).group(1)


def configure(source, path, given):
    """Writes the preferences that saving the configuration's dialog with its defaults leaves, and what is given."""
    try:
        fields = xml.etree.ElementTree.parse(source).iter("Field")
    except (OSError, xml.etree.ElementTree.ParseError):
        return
    kinds = ("textfield", "menu", "checkbox", "list")
    values = {
        field.get("id"): (field.get("type"), field.get("defaultValue", ""))
        for field in fields
        if field.get("type", "").lower() in kinds
        and re.fullmatch(r"[A-Za-z_][\w.-]*", field.get("id", ""))
    }
    prefs = xml.etree.ElementTree.Element("Prefs", type="dict")
    for name, (kind, value) in values.items():
        flag = kind.lower() == "checkbox"
        element = xml.etree.ElementTree.SubElement(prefs, name, type="bool" if flag else "string")
        value = given.get(name, value)
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


def fits(device, wanted, own):
    """Whether the action's device filter takes the device; of filters by class only some."""
    kinds = [it.strip() for it in wanted.split(",")]
    if any(it.startswith("self") for it in kinds):
        return device["pluginId"] == own and any(
            it in ("self", "self." + device["deviceTypeId"]) for it in kinds
        )
    return True
