import json


class Plugin(indigo.PluginBase):
    def go(self, valuesDict, typeId, devId):
        valuesDict["host"] = "192.0.2.7"
        return valuesDict

    def mode_changed(self, valuesDict, typeId, devId):
        valuesDict["detail"] = "mode " + valuesDict["mode"]
        return valuesDict

    def more_changed(self, valuesDict, typeId, devId):
        valuesDict["usable"] = type(valuesDict["more"]).__name__
        return valuesDict

    def deviceStartComm(self, dev):
        props = {key: dev.pluginProps[key] for key in ("host", "rooms", "color", "more")}
        kinds = sorted(type(value).__name__ for value in props.values())
        self.logger.info(f"start {kinds} {props['host']} {dev.subType}")
        self.logger.info(f"status {dev.supportsStatusRequest} pin {dev.pluginProps['pin']}")
