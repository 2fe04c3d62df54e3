"""
<plugin key="Case" name="Case" version="1.0" author="tests" shared="true">
</plugin>
"""
import Domoticz
import json
import sys

import helper


def onStart():
    Domoticz.Log("first %s %s" % (sys.path[0] + "/" * (not sys.path[0].endswith("/")) == Parameters["HomeFolder"],
                                  helper.NAME))
    helper.starts.append(1)
    json.starts = getattr(json, "starts", 0) + 1
    Domoticz.Log("started %d times" % max(len(helper.starts), json.starts))
