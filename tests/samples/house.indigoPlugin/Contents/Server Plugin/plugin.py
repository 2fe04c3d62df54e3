"""The house of a sample: a few devices and a variable that change, as long as it runs."""

import indigo


class Plugin(indigo.PluginBase):
    def startup(self):
        for kind in ("plug", "lamp", "motion"):
            indigo.device.create(indigo.kProtocol.Plugin, name="House " + kind, deviceTypeId=kind)
        self.count = indigo.variable.create("house_count", "0")

    def actionControlDevice(self, action, device):
        device.updateStateOnServer("onOffState", action.deviceAction == indigo.kDeviceAction.TurnOn)

    def runConcurrentThread(self):
        count = 0
        while True:
            count += 1
            indigo.variable.updateValue(self.count, str(count))
            for kind in ("plug", "motion"):
                indigo.devices["House " + kind].updateStateOnServer("onOffState", count % 2 == 0)
            self.sleep(2)
