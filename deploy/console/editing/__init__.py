"""Changes of the farm file by a command: only what is meant changes, and only into a file that the services take."""
