import json
import os


class Plugin(indigo.PluginBase):
    def tell(self, action, dev=None, callerWaitingForResult=None):
        props = action.props
        told = {
            "kinds": sorted(
                key for key in props
                if isinstance(props[key], (indigo.Dict, indigo.List))
            ),
            "waiting": callerWaitingForResult,
            "device": dev,
            "action": [action.pluginId, action.pluginTypeId, action.deviceId],
            "props": props.to_dict(),
        }
        return json.dumps(told)

    def one_argument(self, action):
        return "one"

    def reply(self, action, dev=None, callerWaitingForResult=None):
        form = action.props["url_query_args"]["form"]
        return getattr(self, "form_" + form)()

    def form_text(self):
        return '{"a": 1}'

    def form_page(self):
        reply = indigo.Dict()
        reply["status"] = 404
        reply["headers"] = indigo.Dict({"Content-Type": "text/html"})
        reply["content"] = "<b>nothing here</b>"
        return reply

    def form_plain_headers(self):
        reply = indigo.Dict()
        reply["headers"] = {"Content-Type": "text/plain"}
        reply["content"] = "plain"
        return reply

    def form_file(self):
        path = os.path.join(self.pluginFolderPath, "Contents/Server Plugin/page.html")
        return indigo.Dict({
            "status": 310,
            "file_path": path,
            "headers": indigo.Dict({"Content-Type": "text/html"}),
        })

    def form_helper(self):
        return indigo.utils.return_static_file("page.html", status=404, path_is_relative=False)

    def form_outside(self):
        return indigo.Dict({"status": 310, "file_path": "/etc/passwd"})

    def form_none(self):
        return None

    def form_raise(self):
        raise ValueError("told to")

    def form_slow(self):
        self.sleep(60)
