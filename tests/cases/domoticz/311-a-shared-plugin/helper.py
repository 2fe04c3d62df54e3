NAME = "helper of the plugin"
starts = []
