"""One request in, one stream out: the layers every call passes, and their order."""
