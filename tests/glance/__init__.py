"""A real Glance and a real Keystone from PyPI, on loopback, for as long as a block or a command lasts."""
