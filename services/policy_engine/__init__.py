"""The policy engine: what each miner shall do, and why."""
