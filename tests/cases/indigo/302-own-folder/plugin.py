import os


class Plugin(indigo.PluginBase):
    def startup(self):
        log = indigo.server.log
        own = indigo.server.getInstallFolderPath() + "/Plugins/Case.indigoPlugin"
        log("path %s %s" % (self.pluginFolderPath, self.pluginFolderPath == own))
        with open(own + "/Contents/Server Plugin/plugin.py") as file:
            log("same %s" % (file.read() == open("plugin.py").read()
                             and indigo.server.getPlugin(self.pluginId).pluginFolderPath == own))
        other = indigo.server.getPlugin("org.example.other")
        log("other %s %s %s" % (other.pluginFolderPath, os.path.exists(other.pluginFolderPath),
                                os.path.exists(own + "/../Other.indigoPlugin/Contents")))
        try:
            open(own + "/Contents/written", "w").close()
            log("was written")
        except OSError:
            log("not written")
        try:
            os.remove(own + "/Contents/Info.plist")
            log("was written")
        except OSError:
            log("not removed")
        # A folder of the plugin's own beside it, which is its data and nobody else's bundle.
        os.makedirs(indigo.server.getInstallFolderPath() + "/Plugins/Other.indigoPlugin/Contents")
        log("not beside" if os.listdir(other.pluginFolderPath + "/Contents") == [] else "was written")
        log("list %s" % ("Server Plugin" in os.listdir(own + "/Contents")))
        log("done")
