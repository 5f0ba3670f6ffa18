"""The services. They never import one another; they talk over topics."""
