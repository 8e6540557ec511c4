"""What is said of chains step by step."""
