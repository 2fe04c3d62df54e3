import os


class Plugin(indigo.PluginBase):
    def reply(self, action, dev=None, callerWaitingForResult=None):
        return getattr(self, "form_" + action.props["file_path"][0])()

    def form_text(self):
        return '{"a": 1}'

    def form_page(self):
        reply = indigo.Dict()
        reply["status"] = 404
        reply["headers"] = indigo.Dict({"Content-Type": "text/html", "X-Own": "v"})
        reply["content"] = "<b>nothing here</b>"
        return reply

    def form_no_status(self):
        return indigo.Dict({"headers": {"Content-Type": "text/plain"}, "content": "plain"})

    def form_no_content(self):
        return indigo.Dict({"status": 202})

    def form_none(self):
        return None

    def form_plain(self):
        return {"a": [1]}

    def form_server_error(self):
        return indigo.Dict({"status": 503, "content": "later, please"})

    def place(self):
        return os.path.join(self.pluginFolderPath, "Contents", "Resources", "public", "p.txt")

    def form_file(self):
        return indigo.Dict({"status": 310, "file_path": self.place(),
                            "headers": indigo.Dict({"Content-Type": "text/x-own"})})

    def form_helper(self):
        return indigo.utils.return_static_file(self.place(), status=404, path_is_relative=False)

    def form_helper_missing(self):
        try:
            indigo.utils.return_static_file("/plugin/none.txt", path_is_relative=False)
        except FileNotFoundError as error:
            return type(error).__name__

    def form_outside(self):
        return indigo.Dict({"status": 310, "file_path": "/etc/passwd"})

    def form_up(self):
        return indigo.Dict({"status": 310, "file_path": self.place() + "/../../../../../../../etc/passwd"})
