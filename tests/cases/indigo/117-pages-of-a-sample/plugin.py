import json


class Plugin(indigo.PluginBase):
    def details(self, action):
        parts = list(dict(action.props)["file_path"])
        reply = indigo.Dict()
        try:
            number, form = parts[-1].split(".")
        except (IndexError, ValueError):
            reply["status"] = 500
            reply["content"] = "name a device, as in 12.json"
            return reply
        reply["headers"] = {"Content-Type": "application/" + form}
        reply["content"] = "<device>gr\u00fcn</device>".encode()
        return reply

    def picture(self, action):
        reply = indigo.Dict()
        reply["headers"] = {"Content-Type": "image/png"}
        reply["content"] = b"\x89PNG\r\n\x1a\xff"
        indigo.server.log("sent %d bytes" % len(reply["content"]))
        return reply

    def config(self, action):
        form = dict(action.props["body_params"])
        self.pluginPrefs[form["key"]] = form["value"]
        indigo.server.savePluginPrefs()
        return json.dumps({**self.pluginPrefs, "body": action.props["request_body"]})
