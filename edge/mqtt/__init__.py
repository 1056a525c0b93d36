"""MQTT: the address of a broker, and one connection to it."""
