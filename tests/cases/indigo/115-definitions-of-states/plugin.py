class Plugin(indigo.PluginBase):
    def startup(self):
        for state in self.devicesTypeDict["all"]["States"]:
            shown = " | ".join(str(state.get(key)) for key in ("Key", "Type", "TriggerLabel", "StateLabel"))
            self.logger.info(f"state {shown}")

    def deviceStartComm(self, dev):
        dev.updateStatesOnServer([
            {"key": "text", "value": "t"}, {"key": "number", "value": 1.5}, {"key": "whole", "value": 3},
            {"key": "real", "value": 2.25}, {"key": "truth", "value": True},
            {"key": "power", "value": True}, {"key": "mode", "value": "heat"},
        ])
