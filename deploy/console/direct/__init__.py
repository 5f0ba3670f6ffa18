"""Stops at the devices themselves, past broker, engine and agents: for the emergency in which one of these is ill."""
