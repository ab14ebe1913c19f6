"""Many turns: sessions, their window, and whatever makes more than one request of one question."""
