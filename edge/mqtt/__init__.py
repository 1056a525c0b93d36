"""MQTT: where a broker is, and one connection to it."""
