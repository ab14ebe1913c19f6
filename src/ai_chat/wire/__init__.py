"""Pure codecs of the wire: bytes and JSON on one side, the values of `core` on the other."""
