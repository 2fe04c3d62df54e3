import sys


class Plugin(indigo.PluginBase):
    def startup(self):
        for name in ("Domoticz", "DomoticzEx"):
            try:
                __import__(name)
                indigo.server.log("%s was imported" % name)
            except ModuleNotFoundError as error:
                assert error.name == name and name not in sys.modules
                indigo.server.log("%s: %s" % (name, error))
        import indigo as imported
        indigo.server.log("indigo %s %s" % (imported is indigo, hasattr(imported, "PluginBase")))
        indigo.server.log("done")
