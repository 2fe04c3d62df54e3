class Plugin(indigo.PluginBase):
    def validateDeviceConfigUi(self, valuesDict, typeId, devId):
        errorsDict = indigo.Dict()
        if not self.validateSerialPortUi(valuesDict, errorsDict, "port"):
            return (False, valuesDict, errorsDict)
        return (True, valuesDict)

    def deviceStartComm(self, dev):
        url = self.getSerialPortUrl(dev.pluginProps, "port")
        self.logger.info(f"open {url} shown as {dev.pluginProps['port_uiAddress']}")
