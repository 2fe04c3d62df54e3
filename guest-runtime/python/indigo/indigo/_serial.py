"""Serial ports as plugins of Indigo ask for them.

Owns the keys of a dialog's field of type ``serialport`` and the opening of a port
without an exception. The ports themselves are those of module ``serial``. The methods
are part of the base class of plugins.
"""

# Which key holds the address, by the kind of the connection.
_ADDRESSES = {
    "local": "_serialPortLocal",
    "netSocket": "_serialPortNetSocket",
    "netRfc2217": "_serialPortNetRfc",
}
_SCHEMES = {"netSocket": "socket://", "netRfc2217": "rfc2217://"}


class SerialPorts:
    """The part of the base class that opens serial ports."""

    def openSerial(
        self,
        ownerName,
        portUrl,
        baudrate=9600,
        bytesize=8,
        parity="N",
        stopbits=1,
        timeout=None,
        xonxoff=False,
        rtscts=False,
        writeTimeout=None,
        dsrdtr=False,
        interCharTimeout=None,
        **kwargs,
    ):
        """The open port, or ``None`` with the reason in the log."""
        import serial

        if "errorLog" in kwargs:
            del kwargs["errorLog"]
        try:
            return serial.serial_for_url(
                portUrl,
                baudrate=baudrate,
                bytesize=bytesize,
                parity=parity,
                stopbits=stopbits,
                timeout=timeout,
                xonxoff=xonxoff,
                rtscts=rtscts,
                write_timeout=writeTimeout,
                dsrdtr=dsrdtr,
                inter_byte_timeout=interCharTimeout,
                **kwargs,
            )
        except Exception as failure:
            self.logger.error(
                "\"%s\": serial port %s could not be opened: %s" % (ownerName, portUrl, failure)
            )
            return None

    def getSerialPortUrl(self, propsDict, fieldId):
        """The address that the user chose in this field."""
        kind = propsDict.get(fieldId + "_serialConnType", "local")
        return propsDict.get(fieldId + _ADDRESSES.get(kind, _ADDRESSES["local"]), "")

    def validateSerialPortUi(self, valuesDict, errorsDict, fieldId):
        """Whether the field is filled in; notes errors, and the address for display."""
        kind = valuesDict.get(fieldId + "_serialConnType", "local")
        key = fieldId + _ADDRESSES.get(kind, _ADDRESSES["local"])
        address = str(valuesDict.get(key, "")).strip()
        scheme = _SCHEMES.get(kind)
        if not address:
            errorsDict[key] = (
                "choose a serial port"
                if scheme is None
                else "enter an address such as %s192.168.1.160:8123" % scheme
            )
        elif scheme is not None and not (
            address.startswith(scheme) and ":" in address[len(scheme) :]
        ):
            errorsDict[key] = "the address has to be %sHOST:PORT" % scheme
        if key in errorsDict:
            return False
        valuesDict[fieldId + "_uiAddress"] = address
        return True
