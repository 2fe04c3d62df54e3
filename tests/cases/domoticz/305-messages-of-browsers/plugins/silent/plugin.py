"""
<plugin key="Silent" name="Silent" version="1.0" author="tests">
</plugin>
"""
import Domoticz
