class Plugin(indigo.PluginBase):
    def startup(self):
        self.pluginPrefs["count"] = self.pluginPrefs.get("count", 0) + 1
        self.pluginPrefs["nested"] = {"list": ["a", 1, True]}
        indigo.server.savePluginPrefs()
        path = indigo.server.getInstallFolderPath() + "/Preferences/Plugins/org.example.case.indiPref"
        with open(path) as file:
            text = file.read()
        assert '<Prefs type="dict">' in text and '<count type="integer">%d</count>' % self.pluginPrefs["count"] in text, text
        indigo.server.log("count %d" % self.pluginPrefs["count"])
