"""What an owner takes into Home Assistant: the ready dashboard, made of a farm file."""
