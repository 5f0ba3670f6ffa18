"""The commands, by what they are for. Each module has `add_to(app)`; what is heavy is imported when it is called."""
