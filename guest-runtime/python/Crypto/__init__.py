"""The part of PyCryptodome that libraries for devices use, over the runtime's crates.

AES in ECB, CBC, CFB, OFB, CTR and GCM, padding, counters, hashes, HMAC and PBKDF2.
What is missing raises ``NotImplementedError`` and says so.
"""

version_info = (3, 20, "0")
__version__ = "3.20.0"
