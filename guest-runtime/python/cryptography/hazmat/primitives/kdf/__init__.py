"""Keys from passwords and from other keys."""

import hmac

from cryptography.exceptions import AlreadyFinalized, InvalidKey


class KeyDerivationFunction:
    """Derives one key; each object does it once."""

    _used = False

    def derive(self, key_material):
        if self._used:
            raise AlreadyFinalized("%s instances can only be used once." % type(self).__name__)
        self._used = True
        return self._derived(key_material)

    def verify(self, key_material, expected_key):
        if not hmac.compare_digest(self.derive(key_material), expected_key):
            raise InvalidKey("Keys do not match.")
