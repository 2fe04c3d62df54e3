import json


class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.server.subscribeToBroadcast("com.indigodomo.webserver", "webhook-received", "heard")

    def heard(self, message):
        self.logger.info(f"heard {message['webhook-id']} {message['data'].to_dict()}")

    def note(self, action, dev=None, callerWaitingForResult=None, event_data=None):
        data = event_data.to_dict()
        keys = " ".join(sorted(data))
        self.logger.info(f"{action.props['by']} {json.dumps(data['data'], sort_keys=True)} {keys}")
