"""Object identifiers by name, for who imports them; nothing here takes them."""


class NameOID:
    COMMON_NAME = "2.5.4.3"
    COUNTRY_NAME = "2.5.4.6"
    LOCALITY_NAME = "2.5.4.7"
    STATE_OR_PROVINCE_NAME = "2.5.4.8"
    ORGANIZATION_NAME = "2.5.4.10"
    ORGANIZATIONAL_UNIT_NAME = "2.5.4.11"
