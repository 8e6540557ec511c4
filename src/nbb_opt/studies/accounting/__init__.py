"""What an answer owes to how emissions are counted."""
