KEYS = ("Living Room", "a/2", "1st", "-x", "", "xmlThing", "_under", "gr\u00fcn", "good")


class Plugin(indigo.PluginBase):
    def startup(self):
        prefs = self.pluginPrefs
        if prefs.get("important"):
            indigo.server.log("second life: host %s, _under %s, important %s, side %s, late %s" % (
                prefs.get("host"), prefs.get("_under").to_dict(), prefs["important"],
                prefs.get("by the side", "none"), prefs.get("late", "none")))
            return
        self.tell("refused", lambda key: prefs.update({key: 1}))
        self.tell("refused nested", lambda key: prefs.__setitem__("rooms", [{"in": {key: 1}}]))
        self.tell("dict refuses", lambda key: indigo.Dict().__setitem__(key, 1))
        dev = indigo.device.create(indigo.kProtocol.Plugin, name="d", deviceTypeId="thing")
        self.tell("props refuse", lambda key: dev.replacePluginPropsOnServer({key: 1}))
        prefs["_under"] = {"_in": 1}
        prefs["important"] = 1
        # As an older version of the runtime may have left them behind.
        dict.__setitem__(prefs, "by the side", 2)
        dict.__setitem__(prefs, "late", object())
        indigo.server.savePluginPrefs()
        del prefs["late"]
        indigo.server.log("first life")

    def tell(self, what, put):
        refused = []
        for key in KEYS:
            try:
                put(key)
            except ValueError:
                refused.append(repr(key))
        indigo.server.log("%s %s" % (what, " ".join(refused)))

    def deviceStartComm(self, dev):
        indigo.server.log("device %s: %s" % (dev.name, sorted(dev.pluginProps)))

    def again(self, action):
        indigo.server.restartPlugin()
