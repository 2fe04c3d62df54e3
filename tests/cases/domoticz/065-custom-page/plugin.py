"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import os
from shutil import copy2, rmtree

import Domoticz

FOLDER = "065-custom-page"
PAGE = "./www/templates/case.html"


def onStart():
    Domoticz.Log("folder %s" % os.path.isdir("www/templates"))
    here = "./plugins/" + FOLDER + "/"
    Domoticz.Log("source %s" % os.path.exists(here + "index.html"))
    copy2(here + "index.html", PAGE)
    absolute = Parameters["StartupFolder"] + "www/templates"
    os.makedirs(absolute + "/case")
    copy2(Parameters["HomeFolder"] + "index.html", absolute + "/case/part.html")
    Domoticz.Log("pages %s" % sorted(os.listdir(absolute)))
    rmtree(absolute + "/case")
    try:
        open(here + "new.html", "w")
    except OSError as failure:
        Domoticz.Log("own folder: %s" % type(failure).__name__)
    try:
        copy2(PAGE, "./www/case.html")
        Domoticz.Log("beside: %s" % os.listdir("www"))
    except OSError:
        Domoticz.Log("beside: nothing")


def onStop():
    if os.path.exists(PAGE):
        os.remove(PAGE)
        Domoticz.Log("removed %s" % os.listdir("www/templates"))

