"""Ways to run a farm: the embedded run with its own broker, and what generates pages from the source."""
