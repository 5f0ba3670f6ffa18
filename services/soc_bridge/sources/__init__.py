"""Where the values come from."""
