"""Miners that ought to hash and do not: what the witnesses say, what is done, when to give up. Pure."""
