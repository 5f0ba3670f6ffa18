"""Shows the farm to Home Assistant: the only place that knows its side."""
