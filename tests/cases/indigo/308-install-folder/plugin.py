import os


class Plugin(indigo.PluginBase):
    def startup(self):
        log = indigo.server.log
        bundles = indigo.server.getInstallFolderPath() + "/Plugins"
        log("bundles %s" % os.listdir(bundles))
        log("inside %s" % os.path.isfile(bundles + "/Case.indigoPlugin/Contents/Info.plist"))
        log("disabled %s" % os.listdir(bundles + " (Disabled)"))
        made = indigo.device.create(indigo.kProtocol.Plugin, name="lamp", deviceTypeId="relay")
        raw = indigo.rawServerRequest("GetDevice", {"ID": made.id})
        same = [raw] == list(indigo.rawServerRequest("GetDeviceList"))
        log("raw %s %s %s %s" % (raw["Name"], raw["PluginUiName"], raw["PluginID"], same))
        try:
            indigo.rawServerRequest("GetActionGroupList")
        except NotImplementedError as error:
            log("refused %s" % str(error).split()[-1])
        log("done")
