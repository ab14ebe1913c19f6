"""Functions that a model may call: their schemas, how they are run, and the ones that come with the program."""
