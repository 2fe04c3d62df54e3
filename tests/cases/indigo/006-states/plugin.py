class Plugin(indigo.PluginBase):
    def startup(self):
        if "meter" in indigo.devices:
            return
        dev = indigo.device.create(protocol=indigo.kProtocol.Plugin, name="meter", deviceTypeId="meter")
        indigo.server.log("fresh %s" % dev.states["power"])
        dev.updateStateOnServer("power", 21.4567, uiValue="21.5 W", decimalPlaces=1)
        dev.updateStateOnServer(key="nope", value=1)
        dev.updateStatesOnServer([{"key": "text", "value": 7}, {"key": "mode", "value": "full"}])
        indigo.server.log("done")
