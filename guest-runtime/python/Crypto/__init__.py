"""The part of PyCryptodome that libraries for devices use, over the runtime's crates.

AES in ECB, CBC, CFB, OFB, CTR and GCM, padding, counters, hashes, HMAC, PBKDF2, RSA with its
paddings, and ECDSA on the curves P-256, P-384 and P-521. What is missing raises
``NotImplementedError`` and says so.
"""

version_info = (3, 20, "0")
__version__ = "3.20.0"
