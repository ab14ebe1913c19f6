"""Values and seams: what every other room speaks in. Standard library only."""
