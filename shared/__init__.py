"""What every Sunherd service stands on: messages, topics, bus, clock, service, agent and settings."""
