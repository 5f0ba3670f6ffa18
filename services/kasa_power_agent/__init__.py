"""Tends the outlets that feed miners: Kasa plugs and strips."""
