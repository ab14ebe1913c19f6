"""Parts: what pages are put together from."""
