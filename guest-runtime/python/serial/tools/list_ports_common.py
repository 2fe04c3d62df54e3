"""What is known of a port."""

import re


def numsplit(text):
    """Text cut into words and numbers, to sort by."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text) if part]


class ListPortInfo:
    """A port; also a tuple of device, description and hardware id."""

    def __init__(self, device, skip_link_detection=False):
        self.device = device
        self.name = device.rsplit("/", 1)[-1]
        self.description = "n/a"
        self.hwid = "n/a"
        self.vid = None
        self.pid = None
        self.serial_number = None
        self.location = None
        self.manufacturer = None
        self.product = None
        self.interface = None

    def usb_description(self):
        """The product, and the interface if it has several."""
        if self.interface is not None:
            return "%s - %s" % (self.product, self.interface)
        return self.product if self.product is not None else self.name

    def usb_info(self):
        """What ``hwid`` says of a USB device."""
        serial = " SER=%s" % self.serial_number if self.serial_number is not None else ""
        location = " LOCATION=%s" % self.location if self.location is not None else ""
        return "USB VID:PID=%04X:%04X%s%s" % (self.vid or 0, self.pid or 0, serial, location)

    def apply_usb_info(self):
        """Fills description and hardware id."""
        self.description = self.usb_description()
        self.hwid = self.usb_info()

    def __eq__(self, other):
        return isinstance(other, ListPortInfo) and self.device == other.device

    def __hash__(self):
        return hash(self.device)

    def __lt__(self, other):
        if not isinstance(other, ListPortInfo):
            return NotImplemented
        return str(numsplit(self.device)) < str(numsplit(other.device))

    def __str__(self):
        return "%s - %s" % (self.device, self.description)

    def __getitem__(self, index):
        return (self.device, self.description, self.hwid)[index]

    def __len__(self):
        return 3
