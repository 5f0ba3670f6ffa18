"""A farm without hardware: a site and stand-ins that speak the real protocols, for demo, tests and benchmarks."""
