"""A person's own documents: read, cut into pieces, indexed and found."""
