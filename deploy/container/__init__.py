"""What a service's container runs: it waits for what it needs, and becomes the service."""
