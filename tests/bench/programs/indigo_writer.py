"""Changes a device and a variable as often as an action says."""

import time


class Plugin(indigo.PluginBase):
    def startup(self):
        self.dev = indigo.device.create(protocol=indigo.kProtocol.Plugin, name="meter", deviceTypeId="meter")
        self.var = indigo.variable.create("meter", value="none")

    def update(self, action):
        """Microseconds of each state, until it is on disk."""
        count = int(action.props["count"])
        begun = time.perf_counter()
        for number in range(count):
            self.dev.updateStateOnServer("power", number / 4)
        return (time.perf_counter() - begun) * 1e6 / count

    def device(self, action):
        # Who hears -1 knows that it is the last. A new device has 0, which would be no change.
        for number in range(1, int(action.props["count"])):
            self.dev.updateStateOnServer("power", number)
        self.dev.updateStateOnServer("power", -1)

    def variable(self, action):
        for number in range(1, int(action.props["count"])):
            indigo.variable.updateValue(self.var, str(number))
        indigo.variable.updateValue(self.var, "-1")
