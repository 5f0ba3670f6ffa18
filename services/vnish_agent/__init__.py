"""Tends miners that run VNish (AnthillOS) firmware: reads them, and carries out what the policy engine commands."""
