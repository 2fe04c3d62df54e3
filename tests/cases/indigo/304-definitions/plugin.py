class Plugin(indigo.PluginBase):
    def startup(self):
        def say(what, xml):
            indigo.server.log("%s %s" % (what, "".join(line.strip() for line in xml.split("\n"))))

        say("device", self.getDeviceConfigUiXml("relay", 0))
        say("event", self.getEventConfigUiXml("rang", 0))
        say("action", self.getActionConfigUiXml("beep", 0))
        say("menu", self.getMenuActionConfigUiXml("ask"))
        say("borrowed", self.getMenuActionConfigUiXml("beep"))
        say("prefs", self.getPrefsConfigUiXml())
        indigo.server.log("none %r" % self.devicesTypeDict["plain"]["ConfigUIRawXml"])
        indigo.server.log("done")
