import json


class Plugin(indigo.PluginBase):
    def tell(self, action, dev=None, callerWaitingForResult=None):
        props = action.props
        kinds = {key: type(props[key]).__name__ for key in props}
        return json.dumps({
            "kinds": kinds,
            "waiting": callerWaitingForResult,
            "dev": dev,
            "type": action.pluginTypeId,
            "description": action.description,
            "plain": dict(props)["incoming_request_method"],
            "props": props.to_dict(),
        })

    def one_argument(self, action):
        return "one"
