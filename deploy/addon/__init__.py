"""The farm as a Home Assistant add-on: what its start script does before the embedded farm takes over."""
