"""HMAC."""

import hmac


class HMAC:
    """An HMAC under way."""

    def __init__(self, key, msg, name):
        self._work = hmac.new(bytes(key), msg, name)
        self.digest_size = self._work.digest_size

    def update(self, msg):
        self._work.update(msg)
        return self

    def digest(self):
        return self._work.digest()

    def hexdigest(self):
        return self._work.hexdigest()

    def verify(self, mac_tag):
        if not hmac.compare_digest(self.digest(), bytes(mac_tag)):
            raise ValueError("MAC check failed")

    def hexverify(self, hex_mac_tag):
        self.verify(bytes.fromhex(hex_mac_tag))


def new(key, msg=b"", digestmod=None):
    return HMAC(key, msg, "md5" if digestmod is None else digestmod.hashlib_name)
