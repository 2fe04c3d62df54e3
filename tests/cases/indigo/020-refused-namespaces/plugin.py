class Plugin(indigo.PluginBase):
    def startup(self):
        for protocol in (indigo.kProtocol.ZWave, indigo.kProtocol.Insteon, indigo.kProtocol.X10):
            try:
                indigo.device.create(protocol=protocol, name="x", deviceTypeId="relay")
            except NotImplementedError as error:
                assert "only devices of plugins" in str(error), error
                indigo.server.log("protocol %s NotImplementedError" % protocol)
        theirs = indigo.devices["theirs"]
        refused = 0
        for call in (lambda: theirs.updateStateOnServer("onOffState", True), lambda: theirs.setErrorStateOnServer("x"),
                     lambda: theirs.updateStateImageOnServer(indigo.kStateImageSel.TimerOn), theirs.updateTimeStampOnServer,
                     theirs.stateListOrDisplayStateIdChanged, lambda: indigo.device.changeDeviceTypeId(theirs, "dimmer")):
            try:
                call()
            except ValueError as error:
                assert "belongs to plugin 'org.example.other'" in str(error), error
                refused += 1
        indigo.server.log("owner %d" % refused)
        for interface, commands in ((indigo.zwave, ("sendRaw", "sendConfigParm")), (indigo.insteon, ("sendSceneOn", "sendSceneDecrease")),
                                    (indigo.x10, ("sendOn", "sendHailRequest"))):
            for command in commands:
                try:
                    getattr(interface, command)(11, suppressLogging=True)
                    indigo.server.log("%s was carried out" % command)
                except NotImplementedError as error:
                    name = repr(interface).partition(".")[2]
                    indigo.server.log("%s %s NotImplementedError %s" % (name, command, error))
        for interface in (indigo.zwave, indigo.insteon, indigo.x10):
            interface.subscribeToIncoming()
            interface.subscribeToOutgoing()
        indigo.server.log("done")
