"""Where models are: upstreams over HTTP, the embedded engine, and shipped test doubles."""
