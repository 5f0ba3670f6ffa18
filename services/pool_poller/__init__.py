"""What pools say of the workers of the farm."""
