"""What a call costs: its tokens and its money."""
