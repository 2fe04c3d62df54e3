# A plugin that imports a package with many modules.
"""
<plugin key="Importer" name="Importer" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="unused" default=""/>
    </params>
</plugin>
"""

import requests

import Domoticz


def onStart():
    Domoticz.Heartbeat(30)
    Domoticz.Log("started with requests %s" % requests.__version__)
