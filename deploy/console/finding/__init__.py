"""What is out there: devices of a subnet, Home Assistant's sensors, and whether all that a farm file names answers."""
