class Plugin(indigo.PluginBase):
    def startup(self):
        make = lambda name, kind, props: indigo.device.create(
            protocol=indigo.kProtocol.Plugin, name=name, deviceTypeId=kind, props=props)
        make("lamp", "relay", {})
        box = make("box", "box", {"NumAnalogInputs": 2, "NumBinaryInputs": "3", "NumSensorInputs": 1, "NumBinaryOutputs": 2})
        box.updateStateOnServer("analogInput1", 512)
        box.updateStatesOnServer([{"key": "binaryInput3", "value": True}, {"key": "sensorInput1", "value": 7}])
        for copy in (box, indigo.devices["box"]):
            lists = [list(values) for values in (copy.analogInputs, copy.binaryInputs, copy.sensorInputs, copy.binaryOutputs)]
            indigo.server.log("copy %s %s %s %s" % tuple(lists))
        try:
            indigo.iodevice.setBinaryOutput(box, index=5, value=True)
        except IndexError:
            indigo.server.log("IndexError")
        indigo.server.log("only " + " ".join(dev.name for dev in indigo.devices.iter("indigo.iodevice")))
        indigo.server.log("made %s %d %d %d %d" % (
            type(box).__name__, box.analogInputCount, box.binaryInputCount, box.sensorInputCount, box.binaryOutputCount))

    def actionControlIO(self, action, dev):
        indigo.server.log("%s %d" % (action.action, action.index))
        if action.action in (indigo.kIOAction.TurnOnOutput, indigo.kIOAction.TurnOffOutput):
            dev.updateStateOnServer("binaryOutput%d" % (action.index + 1), action.action == indigo.kIOAction.TurnOnOutput)
